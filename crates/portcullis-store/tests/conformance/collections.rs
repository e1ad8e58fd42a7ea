//! What is listed is what the rows themselves say, on both engines.
#![expect(clippy::indexing_slicing, reason = "a test may fail loudly")]

#[path = "collections/house.rs"]
mod house;
#[path = "collections/naive.rs"]
mod naive;
#[path = "../model/random.rs"]
mod random;

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::query::{
    Comparison, Direction, Field, Filter, Key, Kind, Literal, Operator, Query,
};
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::collections::{
    Collection, KeyEntry, Page, ProjectEntry, RoleEntry, UserEntry, Visible, keys, users,
};

use crate::{Bench, run};
use house::{House, NAMES, Thing, Values, fill, id, text};
use naive::{holds, ordered};
use random::Random;

const SEED: u64 = 4;

/// What a test knows of a collection.
trait Known: Collection + Send + 'static {
    fn things(house: &House) -> &[Thing];
    fn sees(house: &House, it: &Thing, realm: Id<Organization>, visible: Visible) -> bool;
    fn shown(&self) -> Values;
}

fn flag(yes: bool) -> Option<Literal> {
    Some(Literal::Flag(yes))
}

fn moment(moment: Timestamp) -> Option<Literal> {
    Some(Literal::Moment(moment))
}

impl Known for UserEntry {
    fn things(house: &House) -> &[Thing] {
        &house.users
    }

    fn sees(house: &House, it: &Thing, realm: Id<Organization>, visible: Visible) -> bool {
        house.sees_user(it, realm, visible)
    }

    fn shown(&self) -> Values {
        let user = self.user.clone();
        let active = user.state == portcullis_core::organization::State::Active;
        Values::from([
            ("id", id(user.id)),
            ("number", Some(Literal::Number(user.number))),
            ("organization", id(user.organization)),
            ("login", user.login.map(Literal::Text)),
            ("email", user.email.map(Literal::Text)),
            ("name", text(&user.name)),
            ("signs_in", flag(user.signs_in)),
            ("active", flag(active)),
            ("created", moment(self.created)),
        ])
    }
}

impl Known for ProjectEntry {
    fn things(house: &House) -> &[Thing] {
        &house.projects
    }

    fn sees(house: &House, it: &Thing, realm: Id<Organization>, visible: Visible) -> bool {
        house.sees_project(it, realm, visible)
    }

    fn shown(&self) -> Values {
        Values::from([
            ("id", id(self.project.id)),
            ("number", Some(Literal::Number(self.project.number))),
            ("organization", id(self.project.organization)),
            ("name", text(&self.project.name)),
            ("description", text(&self.project.description)),
            ("template", self.project.template.map(Literal::Number)),
            ("created", moment(self.created)),
        ])
    }
}

impl Known for RoleEntry {
    fn things(house: &House) -> &[Thing] {
        &house.roles
    }

    fn sees(house: &House, it: &Thing, realm: Id<Organization>, visible: Visible) -> bool {
        house.sees_role(it, realm, visible)
    }

    fn shown(&self) -> Values {
        Values::from([
            ("id", id(self.role.id)),
            ("organization", self.organization.and_then(id)),
            ("name", text(&self.role.name)),
            ("built_in", flag(self.organization.is_none())),
            ("created", moment(self.created)),
        ])
    }
}

impl Known for KeyEntry {
    fn things(house: &House) -> &[Thing] {
        &house.keys
    }

    fn sees(house: &House, it: &Thing, realm: Id<Organization>, visible: Visible) -> bool {
        house.sees_key(it, realm, visible)
    }

    fn shown(&self) -> Values {
        let active = self.key.state == portcullis_core::organization::State::Active;
        Values::from([
            ("id", id(self.key.id)),
            ("owner", id(self.key.owner)),
            ("owner_login", self.owner_login.clone().map(Literal::Text)),
            ("owner_name", text(&self.owner_name)),
            ("label", text(&self.key.label)),
            ("read_only", flag(self.key.read_only)),
            ("active", flag(active)),
            ("not_before", self.key.not_before.and_then(moment)),
            ("expires", self.key.expires.and_then(moment)),
            ("created", moment(self.created)),
            ("last_used", self.last_used.and_then(moment)),
        ])
    }
}

/// What stands on the page, and how much there is altogether.
fn expected<C: Known>(
    house: &House,
    realm: Id<Organization>,
    visible: Visible,
    query: &Query,
) -> (Vec<Values>, usize) {
    let seen = C::things(house).iter().filter(|it| C::sees(house, it, realm, visible));
    let wanted = |it: &&Thing| query.filter.as_ref().is_none_or(|it2| holds(it2, &it.values));
    let mut found: Vec<&Thing> = seen.filter(wanted).collect();
    found.sort_by(|one, other| {
        let by_keys = query.order.iter().map(|key| {
            let [one, other] = [one, other].map(|it| it.values[key.field.datum].as_ref());
            let order = one.map(ordered).cmp(&other.map(ordered));
            if key.direction == Direction::Descending { order.reverse() } else { order }
        });
        by_keys
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then(one.last.cmp(&other.last))
    });
    let page = found.iter().skip(query.skip as usize).take(query.top as usize);
    (page.map(|it| it.values.clone()).collect(), found.len())
}

async fn listed<C: Known>(
    bench: &Bench,
    realm: Id<Organization>,
    visible: Visible,
    query: &Query,
) -> Result<Page<C>, StoreError> {
    let query = query.clone();
    bench.store.read(move |it| it.list::<C>(realm, visible, &query)).await
}

/// How many rows the query found, which are those that the rows themselves say.
async fn check<C: Known>(
    bench: &Bench,
    house: &House,
    (realm, visible): (Id<Organization>, Visible),
    query: &Query,
) -> usize {
    let page = listed::<C>(bench, realm, visible, query).await.unwrap();
    let shown: Vec<Values> = page.rows.iter().map(C::shown).collect();
    let (rows, total) = expected::<C>(house, realm, visible, query);
    assert_eq!(shown, rows, "{visible:?} {query}\n{:?}", query.filter);
    assert_eq!(page.total, query.count.then_some(i64::try_from(total).unwrap()), "{query}");
    assert_eq!(page.more, total > (query.skip + query.top) as usize, "{query}");
    total
}

fn comparison<C: Known>(house: &House, random: &mut Random, field: &'static Field) -> Filter {
    let operators: Vec<_> = Operator::ALL.into_iter().filter(|it| it.applies(field.kind)).collect();
    let operator = operators[random.below(operators.len())];
    let things = C::things(house);
    let known = things[random.below(things.len())].values[field.datum].clone();
    let literal = known.filter(|_| !random.one_in(4)).unwrap_or_else(|| drawn(random, field.kind));
    let literal = if let Literal::Text(text) = &literal
        && random.one_in(2)
    {
        Literal::Text(changed(random, text))
    } else {
        literal
    };
    Filter::Compare(Comparison::new(field, operator, literal).unwrap())
}

fn drawn(random: &mut Random, kind: Kind) -> Literal {
    let number = random.next().cast_signed() >> random.below(64);
    match kind {
        Kind::Flag => Literal::Flag(random.one_in(2)),
        Kind::Id => Literal::Id([random.below(256).to_le_bytes()[0]; 16]),
        Kind::Moment => Literal::Moment(Timestamp::from_millis(number)),
        Kind::Number => Literal::Number(number),
        Kind::Text => Literal::Text(NAMES[random.below(NAMES.len())].into()),
    }
}

/// A part of a text, or more than it.
fn changed(random: &mut Random, text: &str) -> String {
    let (from, count) = (random.below(3), random.below(4));
    match random.below(4) {
        0 => format!("{text}\0"),
        1 => format!("{text}\0{}", NAMES[random.below(NAMES.len())]),
        2 => format!("{text}%"),
        _ => text.chars().skip(from).take(count).collect(),
    }
}

fn filter<C: Known>(house: &House, random: &mut Random, depth: usize) -> Filter {
    if depth == 0 || random.one_in(3) {
        let field = &C::FIELDS[random.pick(C::FIELDS).unwrap()];
        return comparison::<C>(house, random, field);
    }
    let mut several = || (0..2).map(|_| filter::<C>(house, random, depth - 1)).collect::<Vec<_>>();
    let two = several();
    match random.below(5) {
        0 => Filter::Not(Box::new(Filter::And(two))),
        1 | 2 => Filter::And(two),
        _ => Filter::Or(two),
    }
}

fn query<C: Known>(house: &House, random: &mut Random) -> Query {
    let fields = C::FIELDS.iter().filter(|_| random.one_in(4)).collect::<Vec<_>>();
    let direction = [Direction::Ascending, Direction::Descending];
    let key = |field| Key { field, direction: direction[random.below(2)] };
    Query {
        order: fields.into_iter().map(key).collect(),
        filter: (!random.one_in(8)).then(|| filter::<C>(house, random, 3)),
        skip: if random.one_in(3) { 3 } else { 0 },
        top: if random.one_in(3) { 5 } else { 1_000 },
        count: !random.one_in(4),
        ..Query::default()
    }
}

/// Everybody who may look, with what they may see.
fn views(house: &House) -> Vec<(Id<Organization>, Visible)> {
    let standing = || house.places.iter().filter(|place| !place.gone);
    let realms = standing().filter(|place| place.realm == place.id).map(|place| place.id);
    let tops = realms
        .flat_map(|realm| standing().map(move |place| (realm, Visible::All { top: place.id })));
    let users = house.users.iter().step_by(2).map(|user| {
        let place = house.places.iter().find(|it| Some(it.id) == user.organization).unwrap();
        (place.realm, Visible::Groups { user: Id::from_bytes(user.id) })
    });
    tops.chain(users).collect()
}

async fn ask_at_random<C: Known>(bench: &Bench, house: &House, random: &mut Random) -> usize {
    let mut found = 0;
    for view in views(house) {
        check::<C>(bench, house, view, &Query::default()).await;
        for _ in 0..4 {
            found += check::<C>(bench, house, view, &query::<C>(house, random)).await.min(1);
        }
    }
    found
}

#[test]
fn what_is_found_is_what_the_rows_themselves_say() {
    run("collections", async |bench| {
        let (house, mut random) = (fill(bench, SEED).await, Random(SEED));
        let found = [
            ask_at_random::<UserEntry>(bench, &house, &mut random).await,
            ask_at_random::<RoleEntry>(bench, &house, &mut random).await,
            ask_at_random::<ProjectEntry>(bench, &house, &mut random).await,
            ask_at_random::<KeyEntry>(bench, &house, &mut random).await,
        ];
        assert!(found.iter().all(|found| *found > 20), "few queries find anything: {found:?}");
    });
}

async fn ask_of_every_field<C: Known>(bench: &Bench, house: &House, random: &mut Random) {
    let realm = house.places[0].realm;
    let view = (realm, Visible::All { top: realm });
    for field in C::FIELDS {
        assert!(field.filterable && field.sortable, "{field:?}");
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = vec![Key { field, direction }];
            check::<C>(bench, house, view, &Query { order, ..Query::default() }).await;
        }
        for operator in Operator::ALL.into_iter().filter(|it| it.applies(field.kind)) {
            let literal = drawn(random, field.kind);
            let query = Query::default().only(Comparison::new(field, operator, literal).unwrap());
            check::<C>(bench, house, view, &query).await;
        }
    }
}

#[test]
fn every_field_can_be_filtered_and_sorted_by() {
    run("collection_fields", async |bench| {
        let (house, mut random) = (fill(bench, SEED).await, Random(SEED));
        ask_of_every_field::<UserEntry>(bench, &house, &mut random).await;
        ask_of_every_field::<RoleEntry>(bench, &house, &mut random).await;
        ask_of_every_field::<ProjectEntry>(bench, &house, &mut random).await;
        ask_of_every_field::<KeyEntry>(bench, &house, &mut random).await;
    });
}

async fn walk<C: Known>(bench: &Bench, house: &House) {
    let realm = house.places[0].realm;
    let visible = Visible::All { top: realm };
    let field = C::FIELDS.iter().find(|field| field.datum == "created").unwrap();
    let order = vec![Key { field, direction: Direction::Descending }];
    let mut query = Query { order, top: 4, ..Query::default() };
    let (_, total) = expected::<C>(house, realm, visible, &query);
    let mut walked = Vec::new();
    loop {
        let page = listed::<C>(bench, realm, visible, &query).await.unwrap();
        assert_eq!(page.total, Some(i64::try_from(total).unwrap()));
        walked.extend(page.rows.iter().map(C::shown));
        if !page.more {
            break;
        }
        query = query.next().unwrap();
    }
    let whole = Query { skip: 0, top: 1_000, ..query };
    assert_eq!(walked, expected::<C>(house, realm, visible, &whole).0);
    assert!(walked.len() > 4 && walked.len() == total);
}

#[test]
fn a_walk_over_the_pages_meets_everything_once() {
    run("collection_pages", async |bench| {
        let house = fill(bench, SEED).await;
        walk::<UserEntry>(bench, &house).await;
        walk::<RoleEntry>(bench, &house).await;
        walk::<ProjectEntry>(bench, &house).await;
        walk::<KeyEntry>(bench, &house).await;
    });
}

#[test]
fn whatever_is_looked_for_is_a_value_and_nothing_else() {
    run("collection_values", async |bench| {
        let house = fill(bench, SEED).await;
        let realm = house.places[0].realm;
        let view = (realm, Visible::All { top: realm });
        let with_nul = NAMES.iter().map(|name| format!("{name}\0"));
        let names: Vec<String> = NAMES.iter().map(ToString::to_string).chain(with_nul).collect();
        let mut found = 0;
        for name in ["", "\0", "\0\0"].into_iter().chain(names.iter().map(String::as_str)) {
            for operator in Operator::ALL {
                let quoted = Literal::Text(name.into());
                let filter =
                    Filter::Compare(Comparison::new(&users::NAME, operator, quoted).unwrap());
                let query = Query { filter: Some(filter), ..Query::default() };
                found += check::<UserEntry>(bench, &house, view, &query).await;
                // The same by way of a URL.
                let sent = Query::parse(
                    portcullis_core::query::pairs(&query.to_string()),
                    UserEntry::FIELDS,
                );
                assert_eq!(sent.unwrap(), query);
            }
        }
        assert!(found > NAMES.len());
    });
}

async fn find_all<C: Known<Named = N>, N: 'static>(bench: &Bench, house: &House) {
    for (realm, visible) in views(house) {
        for thing in C::things(house).iter().step_by(4) {
            let id: Id<N> = Id::from_bytes(thing.id);
            let find = bench.store.read(move |it| it.find_visible::<C>(realm, visible, id));
            let found = find.await.unwrap().map(|it| it.shown());
            let seen = C::sees(house, thing, realm, visible);
            assert_eq!(found, seen.then(|| thing.values.clone()), "{visible:?}");
        }
    }
}

#[test]
fn one_is_found_by_whoever_may_see_it() {
    run("collection_one", async |bench| {
        let house = fill(bench, SEED).await;
        find_all::<UserEntry, _>(bench, &house).await;
        find_all::<RoleEntry, _>(bench, &house).await;
        find_all::<ProjectEntry, _>(bench, &house).await;
        find_all::<KeyEntry, _>(bench, &house).await;
    });
}

#[test]
fn what_is_gone_or_of_another_collection_is_refused() {
    run("collection_refusals", async |bench| {
        let house = fill(bench, SEED).await;
        let realm = house.places[0].realm;
        let gone = Visible::All { top: house.places.last().unwrap().id };
        let refused = listed::<UserEntry>(bench, realm, gone, &Query::default()).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))));
        let label = Literal::Text("a".into());
        let label = Comparison::new(&keys::LABEL, Operator::Eq, label).unwrap();
        let query = Query::default().only(label);
        let all = Visible::All { top: realm };
        let refused = listed::<UserEntry>(bench, realm, all, &query).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))));
        assert!(listed::<KeyEntry>(bench, realm, all, &query).await.is_ok());
    });
}

#[test]
fn a_dialect_may_call_a_field_as_it_likes() {
    run("collection_names", async |bench| {
        const FIELDS: &[Field] = &[users::NAME.named("fullname"), users::CREATED.named("made")];
        let house = fill(bench, SEED).await;
        let realm = house.places[0].realm;
        let query = [
            ("$filter", "fullname+ne+%22ann%22+and+made+le+1700000004"),
            ("$orderBy", "fullname+desc"),
        ];
        let query = Query::parse(query, FIELDS).unwrap();
        let found = check::<UserEntry>(bench, &house, (realm, Visible::All { top: realm }), &query);
        assert!(found.await > 4);
    });
}
