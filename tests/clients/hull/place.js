// Where the clients call, and as which connector: by the quickstart's file, if one is named, or else
// by HULL_ORGANIZATION (host and port), HULL_FIREHOSE, HULL_ID and HULL_SECRET.
'use strict';

const fs = require('fs');
const HullClient = require('hull-client');

const place = read();

function read() {
    if (process.argv.length > 2) {
        const hull = JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).hull;
        return {
            id: hull.app_id,
            secret: hull.secret,
            organization: hull.organization,
            firehoseUrl: hull.firehose_url
        };
    }
    return {
        id: process.env.HULL_ID,
        secret: process.env.HULL_SECRET,
        organization: process.env.HULL_ORGANIZATION,
        firehoseUrl: process.env.HULL_FIREHOSE
    };
}

// A client of the vendor's, as its page makes one; only it speaks in the clear, and soon.
function client(more) {
    const own = { protocol: 'http', flushAt: 50, flushAfter: 50 };
    return new HullClient(Object.assign({}, place, own, more));
}

function fail(error) {
    console.log('ERROR: ' + (error.status || '') + ' ' + error.message);
    process.exit(1);
}

// The library keeps a process that has nothing left to do alive for ever.
function end() {
    process.exit(0);
}

module.exports = { place, client, end, fail };
