//! Inputs drawn from a seed: random bytes, and damaged copies of the corpus.

/// What means something to one parser or another.
const WORDS: &[&[u8]] = &[
    b"/",
    b"//",
    b"/.",
    b"/../",
    b";",
    b"\\",
    b"%",
    b"%2e",
    b"%2F",
    b"%5c",
    b"%00",
    b"%25",
    b"%3B",
    b"%c0%af",
    b"?",
    b"#",
    b"+",
    b"@",
    b",",
    b":",
    b"::ffff:",
    b"[",
    b"]",
    b"0",
    b"255",
    b"/0",
    b"/96",
    b"*",
    b"_",
    b"-",
    b"=",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"&",
    b"%22",
    b"%28",
    b"+and+",
    b"+or+",
    b"not+",
    b"name+eq+",
    b"$filter=",
    b"pcl_key_",
    b"pcl_ses_",
    b"wtsession=",
    b"; ",
    b"\"",
    b"Basic ",
    b"Bearer ",
    b"Authorization: ",
    b"Proxy_Authorization: ",
    b"\nx-forwarded-for: 192.0.2.9",
    b"\nx-forwarded-proto: https",
    b"\nx-forwarded-uri: /a",
    b"\nx_forwarded_uri: /a",
    b"\nx-original-url: https://any/a",
    "\u{e9}".as_bytes(),
    "e\u{301}".as_bytes(),
    "\u{130}".as_bytes(),
    "\u{212a}".as_bytes(),
    "\u{3d4}".as_bytes(),
    "\u{ff1a}".as_bytes(),
    "\u{a0}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{fdfa}".as_bytes(),
];

/// The longest input, in bytes: longer than what any parser takes.
const LONGEST: usize = 20_000;

/// Draws inputs; two with one seed draw the same.
#[derive(Clone, Debug)]
pub struct Generator(u64);

impl Generator {
    /// The generator of the input `number` under `seed`.
    pub const fn new(seed: u64, number: u64) -> Self {
        Self(seed.rotate_left(32) ^ number)
    }

    /// An input: most often a damaged one of the `corpus`.
    pub fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match self.below(8) {
            0 => self.bytes(),
            1 => self.words(),
            _ => self.one_of(corpus).cloned().unwrap_or_default(),
        };
        for _ in 0..1 + self.below(6) {
            self.damage(&mut input, corpus);
        }
        input.truncate(LONGEST);
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let (start, end) = self.range(input.len());
        match self.below(8) {
            0 => drop(input.drain(start..end)),
            1 => drop(input.splice(start..end, self.word())),
            2 => drop(input.splice(start..start, self.word())),
            3 => input.extend_from_within(start..end),
            4 => {
                let other = self.one_of(corpus).cloned().unwrap_or_default();
                let (from, to) = self.range(other.len());
                drop(input.splice(start..end, other[from..to].iter().copied()));
            }
            5 => {
                let digits = input.iter_mut().skip(start).filter(|it| it.is_ascii_hexdigit());
                digits.take(1).for_each(|it| *it = b"0123456789abcdefF"[self.below(17)]);
            }
            6 if self.below(8) == 0 => *input = input.repeat(1 + self.below(64)),
            _ => {
                let bit = 1 << self.below(8);
                input.get_mut(start).into_iter().for_each(|it| *it ^= bit);
            }
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(100);
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn words(&mut self) -> Vec<u8> {
        let count = self.below(20);
        (0..count).flat_map(|_| self.word()).collect()
    }

    fn word(&mut self) -> Vec<u8> {
        self.one_of(WORDS).map(|word| word.to_vec()).unwrap_or_default()
    }

    /// A range of at most sixteen of `length` bytes, now and then one without that bound.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        let most = if self.below(8) == 0 { length } else { 16 };
        let end = start + self.below(most.min(length - start) + 1);
        (start, end)
    }

    fn one_of<'t, T>(&mut self, things: &'t [T]) -> Option<&'t T> {
        things.get(self.below(things.len().max(1)))
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// `SplitMix64`: every state gives another number.
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
