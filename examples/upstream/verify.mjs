// Verifies what Portcullis asserts of a request. Needs nothing but Node 18 or later.

import { createPublicKey, verify as isSigned } from "node:crypto";

const AUDIENCE = process.env.PORTCULLIS_AUDIENCE ?? "my-api"; // the name of the guard
const JWKS = process.env.PORTCULLIS_JWKS ?? "http://127.0.0.1:8080/.well-known/jwks.json";
const decode = (part) => JSON.parse(Buffer.from(part, "base64url"));
let [known, read] = [new Map(), 0];

async function keyOf(kid) {
  // An unknown key is asked for, but not as often as anybody can invent one.
  if (Date.now() - read > (known.has(kid) ? 300_000 : 30_000)) {
    const { keys } = await (await fetch(JWKS)).json();
    known = new Map(keys.map((key) => [key.kid, createPublicKey({ key, format: "jwk" })]));
    read = Date.now();
  }
  return known.get(kid);
}

/** The claims, if they are about this very request; else throws. */
export async function verify(assertion, method, host, path) {
  const [header, payload, signature, ...more] = assertion.split(".");
  const { alg, typ, kid } = decode(header);
  const key = alg === "ES256" && typ === "portcullis+jwt" && !more.length && (await keyOf(kid));
  const by = { key, dsaEncoding: "ieee-p1363" };
  const signed = Buffer.from(`${header}.${payload}`);
  if (!key || !isSigned("sha256", signed, by, Buffer.from(signature, "base64url"))) {
    throw new Error("not an assertion");
  }
  const claims = decode(payload);
  const counts = claims.exp > Date.now() / 1000 && claims.sub;
  if (!counts || claims.iss !== "portcullis" || claims.aud !== AUDIENCE) {
    throw new Error("it does not count here");
  }
  if (claims.method !== method || claims.host !== host || claims.path !== path) {
    throw new Error("about another request");
  }
  return claims;
}
