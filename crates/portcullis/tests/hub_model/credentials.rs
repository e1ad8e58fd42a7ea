//! Tokens: the exchange that pays for them, right and wrong.

use serde_json::json;

use crate::client::{Answer, Call, proof};
use crate::reference::Token;
use crate::walk::{Walk, Wrong, refused};

/// Fewer than what makes a user wait.
const WRONG_PROOFS: usize = 3;

/// Fewer tokens than end the oldest.
const TOKENS: usize = 200;

impl Walk<'_> {
    /// Owners with a secret that counts, who have few tokens yet.
    fn holders(&self) -> Vec<u64> {
        let few = |user: &u64| {
            let secret = self.model.users[user].secret.as_ref();
            secret.is_some_and(|secret| !secret.lost && secret.tokens < TOKENS)
        };
        let owners = self.model.users.keys().filter(|user| self.model.is_owner(**user));
        owners.filter(|user| few(user)).copied().collect()
    }

    pub(crate) fn good_exchange(&mut self) -> Result<(), Wrong> {
        let holders = self.holders();
        match self.random.pick(&holders) {
            None => self.new_secret(),
            Some(at) => self.token_of(holders[at]),
        }
    }

    pub(crate) fn token_of(&mut self, user: u64) -> Result<(), Wrong> {
        let answer = self.exchange(user);
        *self.seen.entry(("exchange", answer.status)).or_default() += 1;
        let text = token(&answer).ok_or_else(|| format!("a token is right: {answer:?}"))?;
        if self.model.tokens.iter().any(|token| token.text == text) {
            return Err("a token was given twice".into());
        }
        let secret = self.model.users.get_mut(&user).unwrap().secret.as_mut().unwrap();
        secret.tokens += 1;
        self.model.tokens.push(Token { text, user, ended: false });
        Ok(())
    }

    /// Whoever asks, it is wrong in one way.
    pub(crate) fn bad_exchange(&mut self) -> Result<(), Wrong> {
        let nonce = format!("bad {}", self.random.next());
        let with: Vec<u64> = (self.model.users.iter())
            .filter(|(_, user)| user.secret.as_ref().is_some_and(|it| it.wrong < WRONG_PROOFS))
            .map(|(number, _)| *number)
            .collect();
        let Some(user) = self.random.pick(&with).map(|at| with[at]) else {
            return self.new_secret();
        };
        let live = self.model.is_owner(user);
        let secret = self.model.users.get_mut(&user).unwrap().secret.as_mut().unwrap();
        let (used, text) = (secret.nonces.last().cloned(), secret.text.clone());
        secret.wrong += 1;
        let (other, _) = &self.realms[self.random.below(self.realms.len())];
        let user = user.to_string();
        let body = match self.random.below(4) {
            0 => {
                proof("userId", &format!("9{:09}", self.random.below(1_000_000_000)), &text, &nonce)
            }
            1 if other.top != self.realm.top => proof("userId", &user, &other.secret, &nonce),
            2 if used.is_some() => proof("userId", &user, &text, &used.unwrap()),
            // The right proof of somebody who went, or lost the role.
            3 if !live => proof("userId", &user, &text, &nonce),
            _ => proof("userId", &user, &format!("{text}x"), &nonce),
        };
        let answer = self.send(&Call::new("POST", "token").json(&body));
        *self.seen.entry(("exchange", answer.status)).or_default() += 1;
        refused("exchange", &answer, 401)
    }
}

/// The token in an answer, which says it under both keys.
pub(crate) fn token(answer: &Answer) -> Option<String> {
    let text = answer.one("token")?["token"].as_str()?.to_owned();
    let told = &answer.body["token"][0];
    let expiration = told["expiration"].as_str()?;
    let wanted = json!({
        "metadata": { "code": 200, "message": "OK" },
        "token": [{ "token": text, "expiration": expiration }],
        "tokens": [{ "token": text, "expiration": expiration }],
    });
    (answer.status == 200 && answer.body == wanted && text.starts_with("pcl_hub_")).then_some(text)
}
