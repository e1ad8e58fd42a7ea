// Signs in and reads with the cookie: the two request examples, byte by byte as the page has them.
//
// https://docs.journyx.com/docs/authentication
//
// Run it as `node requests.js [DATA/quickstart.json]`; without a file, JX_BASE (scheme, host and
// port), JX_USERNAME and JX_PASSWORD (a password or an API key) say where and as whom.
'use strict';

const fs = require('fs');
const http = require('http');

const site = place();
const base = new URL(site.base);

// The body stands on several lines, as on the page.
const credentials = JSON.stringify({ username: site.username, password: site.password }, null, 4);

ask('POST', '/api/v1/login', {
    Origin: base.host,
    Accept: 'application/json',
    'X-Requested-With': 'XMLHttpRequest',
    'Content-Type': 'application/json'
}, credentials, function (answer, body) {
    const cookie = answer.headers['set-cookie'][0].split(';')[0];
    if (cookie !== 'wtsession=' + answer.headers['x-session-id']) {
        fail('the two headers differ');
    }
    console.log('signed in as ' + body.auth.username);
    ask('GET', '/api/v1/projects', { Cookie: cookie }, '', function (answer, body) {
        console.log(body.$count + ' projects');
    });
});

function ask(method, path, headers, text, done) {
    const options = { method: method, headers: headers, agent: false };
    const request = http.request(new URL(path, base), options, function (answer) {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', function (part) { body += part; });
        answer.on('end', function () {
            if (answer.statusCode !== 200) {
                fail(answer.statusCode + ' ' + body);
            }
            done(answer, JSON.parse(body));
        });
    });
    request.on('error', fail);
    request.end(text);
}

function place() {
    if (process.argv.length > 2) {
        const made = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
        const journyx = made.journyx;
        return { base: made.base_url, username: journyx.username, password: journyx.api_key };
    }
    const { JX_BASE, JX_USERNAME, JX_PASSWORD } = process.env;
    return { base: JX_BASE, username: JX_USERNAME, password: JX_PASSWORD };
}

function fail(reason) {
    console.error('ERROR: ' + reason);
    process.exit(1);
}
