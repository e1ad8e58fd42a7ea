// Makes an organization with a project and three users: the JavaScript client.
//
// The calls are those of the vendor's JavaScript sample, on
// https://kitewheel.atlassian.net/wiki/spaces/K2/pages/517308681/Journey+Hub+API
// with its habits: `id` in place of `userId`, a header `authorization: null` on the first call, no
// `parentId`, an array of users, and a body that is parsed whatever the status is.
//
// Run it as `node provision.js [DATA/quickstart.json]`; without a file, HUB_URL (it ends with
// `/api/v1/`), HUB_USER_ID, HUB_SECRET and HUB_TEMPLATE_ID say where, as whom and from what.
'use strict';

var crypto = require('crypto');
var fs = require('fs');
var request = require('request');
var UUID = require('uuid-js');

var hub = place();
var base = hub.url.replace(/\/api\/v1\/$/, '');
var tokenPostURL = base + '/api/v1/token';
var orgPostURL = base + '/api/v1/org';
var userPostURL = base + '/api/v1/user/org/';
var projectPostURL = base + '/api/v1/project/org/';
var projectPutURL = base + '/api/v1/project/';

// One object for all requests: the token takes the place of `null` once it is there.
var headers = { 'authorization': null, 'content-type': 'application/json' };

var nonce = UUID.create(1).toString();
var credentials = { id: hub.user_id, nonce: nonce, hash: hashSecret(hub.secret, nonce) };

var newOrganization = { name: 'A New Organization' };

var users = [
    { name: 'Olga Owner', email: '', role: 'Owner' },
    { name: 'Maria Member', email: '', role: 'Member' },
    { name: 'Max Member', email: '', role: 'Member' }
];

var newProject = {
    name: 'First Project',
    description: 'made by a script :)',
    templateId: hub.template_id
};

request.post(createOptions(tokenPostURL, credentials), checked(function (body) {
    headers.authorization = body.token[0].token;
    request.post(createOptions(orgPostURL, newOrganization), checked(fill));
}));

function fill(body) {
    var orgId = body.organizations[0].id;
    console.log('made organization ' + orgId);
    request.post(createOptions(projectPostURL, newProject, orgId), checked(connect));
    request.post(createOptions(userPostURL, users, orgId), checked(function (body) {
        console.log('made ' + body.users.length + ' users');
    }));
}

function connect(body) {
    var project = body.projects[0];
    console.log('made project ' + project.id);
    if (project.templateConnections.length === 0) {
        return;
    }
    var connections = project.templateConnections.map(function (connection) {
        return { details: { type: connection.type } };
    });
    var options = createOptions(projectPutURL, { connections: connections }, project.id);
    request.put(options, checked(function () {
        console.log('made ' + connections.length + ' connections');
    }));
}

function createOptions(url, body, id) {
    return { url: id ? url + id : url, headers: headers, body: JSON.stringify(body) };
}

// Hands the body of a success on; anything else is told, and fails the whole.
function checked(next) {
    return function (err, res, body) {
        if (err || (res && res.statusCode !== 200)) {
            console.log(err || 'ERROR: ' + JSON.parse(body).metadata.message);
            process.exitCode = 1;
            return;
        }
        next(JSON.parse(body));
    };
}

function hashSecret(secret, nonce) {
    return crypto.createHash('sha256').update(secret + nonce).digest('hex');
}

function place() {
    if (process.argv.length > 2) {
        return JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).journey_hub;
    }
    return {
        url: process.env.HUB_URL,
        user_id: process.env.HUB_USER_ID,
        secret: process.env.HUB_SECRET,
        template_id: process.env.HUB_TEMPLATE_ID
    };
}
