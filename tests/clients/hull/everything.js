// Does everything that the vendor's client offers, with `hull-client` 2.0.4 unchanged.
//
// Run it as `node everything.js [DATA/quickstart.json]`; see place.js.
'use strict';

const { place, client, end, fail } = require('./place.js');

const hull = client();
const claims = { email: 'bob@bob.com', external_id: '42' };
const bob = hull.asUser(claims);
const account = hull.asAccount({ domain: 'bob.com' });

async function run() {
    const app = await hull.get('app');
    say('app', app.id === place.id);
    await hull.utils.settings.update({ a: 1 });
    await hull.utils.settings.update({ b: 2 });
    say('settings', (await hull.get(place.id)).private_settings);

    // One flush, in which each entry has a token of its own.
    const told = await Promise.all([
        bob.traits({ name: 'Bob', n: { operation: 'inc', value: 1 } }),
        bob.traits({ n: { operation: 'inc', value: 2 }, 'zendesk/open_tickets': 18 }),
        bob.track('Viewed', { p: 1 }, { source: 'x', event_id: 'ev-1' }),
        bob.alias({ anonymous_id: 's:1' }),
        account.traits({ name: 'Bob Inc' }),
        bob.account({ domain: 'bob.com' }).traits({ k: 1 }),
        hull.asUser('51fa7afd09e50d11f1000002', { create: false }).traits({ x: 1 }),
        hull.asUser({ email: 'eve@bob.com' }, { active: true }).traits({ name: 'Eve' })
    ]);
    say('flushed', told.length);
    await bob.unalias({ anonymous_id: 's:1' });
    await bob.put('me/traits', { city: 'Paris' });
    await bob.post('t', { event: 'e', properties: {} });
    say('properties', Object.keys(await hull.utils.properties.get()).sort());

    const me = await hull.asUser(claims, { scopes: ['admin'] }).get('/me');
    say('me', me.traits);
    say('object', (await hull.get(me.id)).email);
    const query = { query: { term: { email: 'eve@bob.com' } } };
    const found = await hull.post('search/user_reports', query);
    say('found', found.data.map(function (user) { return user.traits_name; }));
    say('segments', await hull.get('users_segments', { limit: 2, page: 1, q: 'a b&c' }));

    // The first client of a queue of its own, which sends its token on top.
    const own = { subjectType: 'user', userClaim: { email: 'ann@bob.com' } };
    const ann = client(Object.assign({ organization: 'localhost:' + port() }, own));
    await ann.batch({ type: 'traits', body: { name: 'Ann' } });
    say('on top', 'done');

    await refused('a user who asks for the app', bob.get('app'));
    await refused('a user who asks for themselves', bob.get('/me'));
    await refused('the secret without a subject', hull.get('/me'));
    await refused('an entry of nobody', hull.batch({ type: 'traits', body: {} }));
    await refused('claims of nobody', hull.asUser({}).traits({ a: 1 }));
    const signed = client({ accessToken: bob.token() });
    await refused('a token keyed with a token', signed.put('me/traits', { a: 1 }));
    const stranger = client({ secret: place.secret + 'x' });
    await refused('a wrong secret', stranger.get('app'));
    await refused('tokens under a wrong secret', stranger.asUser(claims).traits({ a: 1 }));

    const eve = found.data[0].id;
    await hull.del(eve);
    await refused('who was deleted', hull.get(eve));
}

function port() {
    return place.organization.split(':')[1];
}

async function refused(what, asked) {
    try {
        await asked;
    } catch (error) {
        return say(what, error.status);
    }
    throw new Error(what + ' was not refused');
}

function say(what, told) {
    console.log(what + ': ' + JSON.stringify(told));
}

run().then(end, fail);
