// Opens the page in Chromium, on origins that may call the server and on some that may not.
//
// node main.js BINARY

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

import { Demo } from './demo.js';
import { Proof, proved } from './proof.js';

const [binary] = process.argv.slice(2);
const HTML = '<!doctype html><title>gRPC-Web</title><ul></ul><script type="module" src="/page.js"></script>';
const SCRIPT = readFileSync('page.js');

/** An origin that has the page. */
async function origin() {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? SCRIPT : HTML);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

/** What the page shows, and what the browser says of requests that it stopped. */
async function visit(browser, from, to) {
  const page = await browser.newPage();
  const blocked = [];
  page.on('console', (message) => {
    if (message.text().includes('blocked by CORS policy')) blocked.push(message.text());
  });
  await page.goto(`${from}/?${to}`);
  await page.locator('body[data-done]').waitFor({ state: 'attached' });
  const shown = await page.locator('li').allTextContents();
  await page.close();
  return { shown, blocked: blocked.length };
}

const friend = await origin();
const stranger = await origin();
const open = await Demo.start(binary, '--cors-origin', friend);
const closed = await Demo.start(binary);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
const proof = new Proof('gRPC-Web in a browser');

const { shown, blocked } = await visit(browser, friend, open.origin);
proof.equal('an origin that is named may call', blocked, 0);
proof.equal('it shows a list', shown.slice(0, 3), ['scses_790', 'scses_791', '2 of 4']);
proof.equal('it reads an error with its details', shown.slice(3, 6), [
  'InvalidArgument: INVALID_ARGUMENT',
  'pagination.limit: Must be at least 1.',
  'pagination.offset: Must be at least 0.',
]);
proof.equal('it reads another error', shown.slice(6), ['NotFound: NOT_FOUND']);

const kept = { shown: Array(3).fill('Unknown: Failed to fetch'), blocked: 3 };
for (const [fact, from, to] of [
  ['an origin that is not named may not', stranger, open],
  ['nor may any where none is named', friend, closed],
]) {
  proof.equal(fact, await visit(browser, from, to.origin), kept);
}

await browser.close();
await open.stop();
await closed.stop();
console.log(`browser: ${proved()} proved`);
