//! What was permitted once, looked at again.

use super::*;

impl House {
    /// What is kept of a request that passes.
    async fn lasting(&self, parts: &Parts) -> Lasting {
        let judged = self.admit_with(parts, async |_| {}).await.0.unwrap();
        self.kept(parts, Address::Own, judged)
    }

    fn kept(&self, parts: &Parts, address: Address<'_>, judged: Judged) -> Lasting {
        let (peer, trusted) = (IpAddr::from([192, 0, 2, 1]), TrustedPeers::default());
        let now = self.clock.now().wall;
        let head = RequestHead::from_connection(parts, peer, &trusted, now).unwrap();
        self.gate.lasting(&head, address, judged)
    }

    async fn lasting_by_key(&self) -> Lasting {
        self.lasting(&self.request(scheme::API_KEY, self.key.expose_text())).await
    }

    /// Why it ends, if it does.
    fn ends(&self, lasting: &mut Lasting) -> Option<&'static str> {
        self.gate.still(lasting).err().map(|refusal| refusal.reason())
    }
}

#[tokio::test]
async fn what_lasts_goes_on_until_what_it_was_permitted_by_is_gone() {
    let house = House::open().await;
    let mut lasting = house.lasting_by_key().await;
    assert_eq!(house.ends(&mut lasting), None);
    house.switch(State::Disabled).await;
    assert_eq!(house.ends(&mut lasting), Some(Rejection::Disabled.name()));

    let house = House::open().await;
    let mut lasting = house.lasting_by_key().await;
    house.replace_guard(Some(Definition { pass_credential: true, ..guard("/orders") })).await;
    assert_eq!(house.ends(&mut lasting), Some("no_guard"), "a changed guard is another one");

    let house = House::open().await;
    let mut lasting = house.lasting_by_key().await;
    house.clock.0.fetch_add(LEASE_MILLIS, Ordering::Relaxed);
    assert_eq!(house.ends(&mut lasting), Some("unavailable"), "nobody can tell");
}

#[tokio::test]
async fn what_lasts_ends_with_its_mount_even_if_that_is_gone_before_anything_is_kept() {
    for late in [false, true] {
        let house = listening().await;
        let parts = house.request(scheme::API_KEY, house.key.expose_text());
        let mount = Arc::clone(&house.gate.memory().mounts()[0]);
        let address = Address::Listener { mount: &mount, id: "flow" };
        let judged = house.admit_at(address, &parts, async |_| {}).await.0.unwrap();
        let mut before = house.kept(&parts, address, judged.clone());
        assert_eq!(house.ends(&mut before), None);
        house.change(|it| it.delete_mount("graph", Source::Store)).await.unwrap();
        let mut kept = if late { house.kept(&parts, address, judged) } else { before };
        assert_eq!(house.ends(&mut kept), Some("no_guard"), "{late}");
    }
}

#[tokio::test]
async fn a_key_that_was_switched_off_and_on_again_would_have_to_be_shown_anew() {
    let house = House::open().await;
    let mut lasting = house.lasting_by_key().await;
    house.switch(State::Disabled).await;
    house.switch(State::Active).await;
    assert_eq!(house.ends(&mut lasting), Some("no_credential"));
}

#[tokio::test]
async fn what_lasts_by_a_session_goes_on_as_others_use_it_and_ends_with_it() {
    let mut house = House::open().await;
    let session = house.session(100).await;
    let parts = house.request(scheme::SESSION, session.expose_text());
    let mut lasting = house.lasting(&parts).await;
    for _ in 0..3 {
        house.passes(IDLE / 2);
        assert_eq!(house.uses(&session).await, None);
        let revision = house.write_slides().await.unwrap();
        house.apply(revision).await;
        assert_eq!(house.ends(&mut lasting), None);
    }
    // What lasts is no use of it.
    house.passes(IDLE);
    assert_eq!(house.ends(&mut lasting), Some(Rejection::Expired.name()));
}

#[tokio::test(start_paused = true)]
async fn it_is_looked_at_when_something_is_written_and_when_its_time_has_come() {
    let house = House::open().await;
    let lasting = house.lasting_by_key().await;
    let (gate, applied) = (Arc::new(house.gate), house.follower.applied());
    let mut over = std::pin::pin!(Arc::clone(&gate).until_over(lasting, applied));
    let soon = tokio::time::timeout(Duration::from_secs(60), over.as_mut());
    assert!(soon.await.is_err(), "nothing has happened");
    house.clock.0.fetch_add(LEASE_MILLIS, Ordering::Relaxed);
    let found = tokio::time::timeout(Duration::from_secs(6), over);
    assert_eq!(found.await.unwrap().reason(), "unavailable");
}
