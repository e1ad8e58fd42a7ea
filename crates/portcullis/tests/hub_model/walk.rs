//! A walk through one realm: whose call it is, what it aims at, and whether the answer is right.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::client::{Answer, Call, Client, proof};
use crate::installation::{Installation, Realm};
use crate::random::Random;
use crate::reference::{Model, OWNER, Org, Refused, Secret, Template, Token, User};
use crate::steps::number;

/// How many connections a walk keeps.
const CONNECTIONS: usize = 3;

/// How many calls are told when one was answered wrongly.
const HISTORY: usize = 12;

/// What went wrong, told for people.
pub(crate) type Wrong = String;

/// A call as the model knows its caller.
pub(crate) struct Caller {
    pub(crate) token: Option<String>,
    /// The user, or why there is none.
    pub(crate) user: Result<u64, Refused>,
}

impl Caller {
    /// The caller of an address with an id in it; one without such an id is no address.
    pub(crate) fn on(&self, id: &str) -> Result<u64, Refused> {
        number(id).ok_or(404).and(self.user)
    }
}

/// What an answer should be.
pub(crate) struct Expected {
    pub(crate) objects: Vec<Value>,
    pub(crate) next: Option<u64>,
}

pub(crate) struct Walk<'a> {
    pub(crate) model: Model,
    pub(crate) random: Random,
    pub(crate) realm: Realm,
    pub(crate) installation: &'a Installation,
    /// Every realm with a token of its Owner's: what must be of no use here.
    pub(crate) realms: &'a [(Realm, String)],
    /// How often each call had each status.
    pub(crate) seen: BTreeMap<(&'static str, u16), usize>,
    clients: Vec<Client>,
    told: VecDeque<String>,
    calls: u32,
}

impl<'a> Walk<'a> {
    pub(crate) fn begin(
        at: usize,
        seed: u64,
        installation: &'a Installation,
        realms: &'a [(Realm, String)],
    ) -> Self {
        let (realm, token) = realms[at].clone();
        let mut model = Model::default();
        let parent = None;
        model.orgs.insert(realm.top, Org { parent, name: realm.name.clone(), gone: false });
        let text = realm.secret.clone();
        let secret = Secret { text, nonces: vec![], wrong: 0, tokens: 1, lost: false };
        for (number, name, role, secret) in [
            (1, "Administrator".to_owned(), None, None),
            (2, "Anonymous".to_owned(), None, None),
            (realm.keeper, format!("keeper-{at}"), Some(OWNER), Some(secret)),
        ] {
            let (org, email, gone) = (realm.top, String::new(), false);
            model.users.insert(number, User { org, name, email, role, gone, secret });
        }
        model.tokens.push(Token { text: token, user: realm.keeper, ended: false });
        Self {
            model,
            random: Random(seed.wrapping_add(at as u64)),
            clients: (0..CONNECTIONS).map(|_| Client::connect(&realm.mount)).collect(),
            realm,
            installation,
            realms,
            seen: BTreeMap::new(),
            told: VecDeque::new(),
            // Every call comes from an address of its own, so that wrong ones slow no other down.
            calls: u32::try_from(at).unwrap() << 17,
        }
    }

    pub(crate) fn offer(&mut self, number: u64, template: Template) {
        self.model.templates.insert(number, template);
    }

    pub(crate) fn told(&self) -> String {
        self.told.iter().fold(String::new(), |all, call| format!("{all}\n    {call}"))
    }

    pub(crate) fn tell(&mut self, what: String) {
        self.told.push_back(what);
        if self.told.len() > HISTORY {
            self.told.pop_front();
        }
    }

    /// Somebody who may call, mostly.
    pub(crate) fn caller(&mut self) -> Caller {
        let nobody = |token: Option<String>| Caller { token, user: Err(401) };
        match self.random.below(100) {
            0 => nobody(None),
            1 => nobody(Some("pcl_hub_no_token_at_all".into())),
            2 => nobody(Some("null".into())),
            3 => {
                let other = self.random.below(self.realms.len());
                let (realm, token) = &self.realms[other];
                if realm.top == self.realm.top {
                    self.live_caller()
                } else {
                    nobody(Some(token.clone()))
                }
            }
            4..=6 => {
                let token = self.random.below(self.model.tokens.len());
                self.holder(token)
            }
            7..=9 => self.revenant(),
            _ => self.live_caller(),
        }
    }

    /// Whoever holds a token, live or not.
    fn holder(&self, token: usize) -> Caller {
        let token = &self.model.tokens[token];
        let user = if self.model.is_live(token) { Ok(token.user) } else { Err(401) };
        Caller { token: Some(token.text.clone()), user }
    }

    /// An Owner with a token from before the secret was replaced, or the role lost and given back.
    fn revenant(&mut self) -> Caller {
        let ended = |token: &Token| token.ended && self.model.is_owner(token.user);
        let all: Vec<usize> =
            (0..self.model.tokens.len()).filter(|at| ended(&self.model.tokens[*at])).collect();
        match self.random.pick(&all) {
            Some(at) => self.holder(all[at]),
            None => self.live_caller(),
        }
    }

    /// Each live caller as likely as each other, however many tokens they have.
    pub(crate) fn live_caller(&mut self) -> Caller {
        let live = self.model.tokens.iter().filter(|token| self.model.is_live(token));
        let mut users: Vec<u64> = live.map(|token| token.user).collect();
        users.sort_unstable();
        users.dedup();
        let user = users[self.random.below(users.len())];
        let own = |token: &&Token| token.user == user && self.model.is_live(token);
        let tokens: Vec<&Token> = self.model.tokens.iter().filter(own).collect();
        let token = tokens[self.random.below(tokens.len())].text.clone();
        let bearer = if self.random.one_in(8) { format!("Bearer {token}") } else { token };
        Caller { token: Some(bearer), user: Ok(user) }
    }

    pub(crate) fn keeper(&self) -> Caller {
        let keeper = self.realm.keeper;
        let own = |token: &&Token| token.user == keeper && self.model.is_live(token);
        let token = self.model.tokens.iter().find(own).unwrap();
        Caller { token: Some(token.text.clone()), user: Ok(keeper) }
    }

    /// An organization, mostly one that the caller may see.
    pub(crate) fn org_target(&mut self, caller: &Caller) -> String {
        let own = caller.user.map_or(self.realm.top, |user| self.model.users[&user].org);
        match self.random.below(100) {
            0..60 => {
                let visible = self.model.visible(caller.user.unwrap_or(self.realm.keeper));
                visible[self.random.below(visible.len())].to_string()
            }
            60..66 => own.to_string(),
            66..72 => self.model.orgs[&own].parent.unwrap_or(own).to_string(),
            72..90 => any(&mut self.random, &self.model.orgs),
            90..95 => {
                let other = self.random.below(self.realms.len());
                self.realms[other].0.top.to_string()
            }
            _ => self.nowhere(),
        }
    }

    /// A user or a project: `of` says what organization each is of.
    pub(crate) fn target<T>(
        &mut self,
        caller: &Caller,
        of: impl Fn(&Model) -> &BTreeMap<u64, T>,
        org: impl Fn(&T) -> u64,
    ) -> String {
        let by = caller.user.unwrap_or(self.realm.keeper);
        if self.random.below(100) < 65 {
            let own = |it: &&u64| self.model.sees(by, org(&of(&self.model)[it]));
            let own: Vec<u64> = of(&self.model).keys().filter(own).copied().collect();
            if let Some(at) = self.random.pick(&own) {
                return own[at].to_string();
            }
        }
        if of(&self.model).is_empty() || self.random.one_in(6) {
            return self.nowhere();
        }
        any(&mut self.random, of(&self.model))
    }

    /// What never was; the last ones are no ids at all, and so no address.
    fn nowhere(&mut self) -> String {
        let all = ["999999999", "9223372036854775807", "9223372036854775808", "0", "-1", "x", "01"];
        all[self.random.below(all.len())].into()
    }

    pub(crate) fn ask(&mut self, call: Call, caller: &Caller) -> Answer {
        let call = match &caller.token {
            Some(token) => call.token(token),
            None => call,
        };
        self.send(&call)
    }

    pub(crate) fn send(&mut self, call: &Call) -> Answer {
        self.calls += 1;
        let call = call.clone().from(self.calls);
        let client = self.random.below(self.clients.len());
        let answer = self.clients[client].send(&call);
        let Call { method, path, token, body, .. } = &call;
        let body = body.as_ref().map_or("", |(_, body)| body);
        let body: String = body.chars().take(300).collect();
        let by = token.as_ref().map_or_else(|| "nobody".to_owned(), |token| self.who(token));
        self.tell(format!("{method} {path} {body} by {by}: {}", answer.status));
        answer
    }

    fn who(&self, token: &str) -> String {
        let text = token.trim_start_matches("Bearer ");
        let found = self.model.tokens.iter().find(|token| token.text == text);
        found.map_or_else(
            || "a stranger".to_owned(),
            |token| format!("user {} of {}", token.user, self.model.users[&token.user].org),
        )
    }

    /// Whether an answer is what the model says, to the last member.
    pub(crate) fn judge(
        &mut self,
        what: &'static str,
        key: &str,
        answer: &Answer,
        expected: Result<Expected, Refused>,
    ) -> Result<(), Wrong> {
        *self.seen.entry((what, answer.status)).or_default() += 1;
        let wanted = match expected {
            Err(status) => return refused(what, answer, status),
            Ok(Expected { objects, next: None }) => {
                json!({ "metadata": { "code": 200, "message": "OK" }, key: objects })
            }
            Ok(Expected { objects, next: Some(next) }) => json!({
                "metadata": { "code": 200, "message": "OK", "next": next.to_string() },
                key: objects,
            }),
        };
        if answer.status == 200 && answer.body == wanted && has_headers(answer) {
            return Ok(());
        }
        Err(format!("{what}: {answer:?}\n    where 200 and {wanted} is right"))
    }

    /// The same for one object.
    pub(crate) fn judge_one(
        &mut self,
        what: &'static str,
        key: &str,
        answer: &Answer,
        expected: Result<Value, Refused>,
    ) -> Result<(), Wrong> {
        let expected = expected.map(|object| Expected { objects: vec![object], next: None });
        self.judge(what, key, answer, expected)
    }

    /// A token for a secret that is the user's.
    pub(crate) fn exchange(&mut self, user: u64) -> Answer {
        let nonce = format!("nonce {} of {}", self.calls, self.realm.top);
        let secret = self.model.users[&user].secret.clone().unwrap();
        let name = if self.random.one_in(2) { "userId" } else { "id" };
        let mut body = proof(name, &user.to_string(), &secret.text, &nonce);
        if self.random.one_in(4) {
            body[name] = user.into();
        }
        let call = Call::new("POST", "token");
        let call = if self.random.one_in(3) { call.form(&body) } else { call.json(&body) };
        let null = self.random.one_in(3).then_some("null");
        let answer = self.send(&null.map_or(call.clone(), |null| call.token(null)));
        let secret = self.model.users.get_mut(&user).unwrap().secret.as_mut().unwrap();
        secret.nonces.push(nonce);
        secret.wrong = 0;
        answer
    }
}

/// One of all that ever were.
fn any<T>(random: &mut Random, all: &BTreeMap<u64, T>) -> String {
    let at = random.below(all.len());
    all.keys().nth(at).unwrap().to_string()
}

/// Whether an answer is a refusal as all are.
pub(crate) fn refused(what: &str, answer: &Answer, status: Refused) -> Result<(), Wrong> {
    let metadata = &answer.body["metadata"];
    let message = metadata["message"].as_str().is_some_and(|message| !message.is_empty());
    let alone = answer.body.as_object().is_some_and(|body| body.len() == 1);
    let code = metadata["code"] == status;
    if answer.status == status && code && message && alone && has_headers(answer) {
        return Ok(());
    }
    Err(format!("{what}: {answer:?}\n    where {status} is right"))
}

fn has_headers(answer: &Answer) -> bool {
    let json = answer.header("content-type").is_some_and(|it| it.starts_with("application/json"));
    json && answer.header("cache-control") == Some("no-store")
}
