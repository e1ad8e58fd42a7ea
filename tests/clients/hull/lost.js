// Tells one thing of somebody, with `hull-client` 2.0.4 unchanged, which sends it again by itself
// where no answer comes.
//
// Run it as `node lost.js [DATA/quickstart.json]`; see place.js.
'use strict';

const { client, end, fail } = require('./place.js');

const bob = client().asUser({ email: 'bob@bob.com' });

Promise.all([
    bob.traits({ n: { operation: 'inc', value: 1 } }),
    bob.track('Viewed', { p: 1 })
]).then(function (told) {
    console.log('acknowledged: ' + told.length);
    end();
}, fail);
