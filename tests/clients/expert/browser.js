// Walks a browser through a sign-on, from a small site of somebody else's to the landing page: it
// starts a headless Chromium, speaks its own protocol (https://chromedevtools.github.io/devtools-protocol/)
// over the web socket that Node has built in, and says which cookies the browser has then.
//
// CHROMIUM names the program, EX_BASE, EX_KEY, EX_SECRET and EX_USER the site and the user; the sign-on
// leads to EX_BASE/@api/deki/users/current.
'use strict';

const { spawn } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const { CHROMIUM, EX_BASE, EX_KEY, EX_SECRET, EX_USER } = process.env;
const landing = `${EX_BASE}/@api/deki/users/current`;

// The integration's own site: it knows its visitor, signs, and sends the browser on.
const site = http.createServer((request, response) => {
  if (request.url !== '/help') {
    response.setHeader('Content-Type', 'text/html');
    response.end('<a id="help" href="/help">Help</a>');
    return;
  }
  const epoch = Math.floor(Date.now() / 1000);
  const message = `${EX_KEY}_${epoch}_${EX_USER}`;
  const hash = crypto.createHmac('sha256', EX_SECRET).update(message).digest('hex');
  const token = encodeURIComponent(`tkn_${message}_${hash}`);
  const redirect = encodeURIComponent(landing);
  const link = `${EX_BASE}/@api/deki/users/authenticate?x-deki-token=${token}&redirect=${redirect}`;
  response.writeHead(302, { Location: link });
  response.end();
});

async function walk(browser) {
  const { targetId } = await browser.call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.call('Target.attachToTarget', { targetId, flatten: true });
  const page = (method, params) => browser.call(method, params, sessionId);
  await page('Page.enable');
  await page('Network.enable');
  const loaded = () => browser.once('Page.loadEventFired');
  let waiting = loaded();
  await page('Page.navigate', { url: `http://localhost:${site.address().port}/` });
  await waiting;
  waiting = loaded();
  await page('Runtime.evaluate', { expression: "document.getElementById('help').click()" });
  await waiting;
  const value = async (expression) =>
    (await page('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  const { cookies } = await page('Network.getCookies', { urls: [EX_BASE] });
  return {
    address: await value('location.href'),
    username: await value("document.querySelector('username').textContent"),
    referrer: await value('document.referrer'),
    readable: await value('document.cookie'),
    cookies: cookies.map(({ name, domain, path, httpOnly, session, sameSite, value }) =>
      ({ name, domain, path, httpOnly, session, sameSite, quoted: value.startsWith('"'), value })),
  };
}

// Messages of the protocol over one web socket.
async function connect(address) {
  const socket = new WebSocket(address);
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = failed; });
  const calls = new Map();
  const events = new Map();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, result, error, method } = JSON.parse(data);
    if (id !== undefined) {
      const { done, failed } = calls.get(id);
      calls.delete(id);
      return error ? failed(new Error(error.message)) : done(result);
    }
    const heard = events.get(method);
    events.delete(method);
    return heard && heard();
  };
  return {
    call: (method, params = {}, sessionId = undefined) => new Promise((done, failed) => {
      last += 1;
      calls.set(last, { done, failed });
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    }),
    once: (method) => new Promise((done) => events.set(method, done)),
    close: () => socket.close(),
  };
}

async function run() {
  await new Promise((done) => site.listen(0, 'localhost', done));
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'browser-'));
  const browser = spawn(CHROMIUM, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
    '--disable-background-networking', '--disable-dev-shm-usage', `--user-data-dir=${profile}`,
    '--remote-debugging-port=0', 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const address = await new Promise((done, failed) => {
      let said = '';
      browser.stderr.on('data', (part) => {
        said += part;
        const found = /DevTools listening on (\S+)/.exec(said);
        if (found) { done(found[1]); }
      });
      browser.on('exit', () => failed(new Error(`the browser ended: ${said}`)));
    });
    const connection = await connect(address);
    console.log(JSON.stringify(await walk(connection)));
    connection.close();
  } finally {
    browser.removeAllListeners('exit');
    const ended = new Promise((done) => browser.on('exit', done));
    browser.kill();
    await ended;
    site.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

run().catch((error) => { console.error(`Error: ${error.message}`); process.exitCode = 1; });
