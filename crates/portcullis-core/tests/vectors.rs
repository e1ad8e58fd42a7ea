//! Known answers: what is computed here is what everybody computes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::seal::{Digest, MacKey, MasterKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const HMAC: &str = include_str!("vectors/hmac_sha256_test.json");

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |pair| std::str::from_utf8(pair).unwrap();
    hex.as_bytes().chunks(2).map(|it| u8::from_str_radix(digits(it), 16).unwrap()).collect()
}

/// The key that our 32 bytes are to HMAC what any key is (RFC 2104, section 2).
fn thirty_two(key: &[u8]) -> Digest {
    let mut fitted = [0; 32];
    match key.len() {
        0..=32 => fitted[..key.len()].copy_from_slice(key),
        65.. => fitted = Sha256::digest(key).into(),
        length => unreachable!("no vector has a key of {length} bytes"),
    }
    fitted
}

#[test]
fn every_vector_of_wycheproof_for_hmac_sha_256_is_judged_as_marked() {
    let file: Value = serde_json::from_str(HMAC).unwrap();
    let mut judged = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let length = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
        for vector in group["tests"].as_array().unwrap() {
            let part = |name: &str| bytes(vector[name].as_str().unwrap());
            let (key, message) = (MacKey::new(&thirty_two(&part("key"))), part("msg"));
            let (head, tail) = message.split_at(message.len() / 2);
            let digest = key.digest(&[head, tail]);
            assert_eq!(digest, key.digest(&[&message]));
            let valid = digest[..length] == part("tag");
            assert_eq!(valid, vector["result"] == "valid", "{vector}");
            judged += 1;
        }
    }
    assert_eq!(judged, 174);
}

/// Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation", by its authors: key, nonce,
/// context, text, sealed text, tag.
const GCM: [[&str; 6]; 3] = [
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000",
        "",
        "",
        "",
        "530f8afbc74536b9a963b4f1c4cb738b",
    ],
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000",
        "",
        "00000000000000000000000000000000",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ],
    [
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ],
];

#[test]
fn what_others_sealed_with_aes_256_gcm_is_opened_and_nothing_else() {
    for [key, nonce, context, text, sealed, tag] in GCM {
        let key = MasterKey::parse(&BASE64.encode(bytes(key))).unwrap();
        let parts = [&[1], &*bytes(&key.id()), &bytes(nonce), &bytes(sealed), &bytes(tag)];
        let mut whole = parts.concat();
        assert_eq!(key.open(&whole, &bytes(context)).unwrap().expose(), bytes(text));
        *whole.last_mut().unwrap() ^= 1;
        assert!(key.open(&whole, &bytes(context)).is_err());
    }
}
