// Walks through the respondent's pages in Chromium: in every mode, on example data of its own.
//
// node main.js BINARY FOLDER-FOR-SCREENSHOTS [MODE]

import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

import { Demo } from './demo.js';
import { directions } from './directions.js';
import { keyboard } from './keyboard.js';
import { parting } from './parting.js';
import { take } from './picture.js';
import { Proof, proved } from './proof.js';
import { Visitor, states } from './visitor.js';
import { typed } from './typed.js';
import {
  begun, demo, dismissed, endings, everything, looks, notices, removed,
} from './walks.js';

/** In this order: looks are the whole tenant's. */
const WALKS = [
  demo, begun, everything, dismissed, removed, endings, notices, typed, parting, directions, keyboard,
  looks,
];
/** How many modes are walked through at a time. */
const LANES = 2;

const [binary, shots, only] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const modes = [];
for (const script of [true, false]) {
  for (const width of [360, 1280]) {
    for (const theme of ['light', 'dark']) {
      const name = `${width} pixels, ${theme}, ${script ? 'with' : 'without'} script`;
      if (!only || only === name) modes.push({ name, width, theme, script });
    }
  }
}

async function walkThrough(browser, mode) {
  const server = await Demo.start(binary);
  const proof = new Proof(mode.name);
  const visitor = await new Visitor(browser, mode, server, proof, shots).arrive();
  for (const walk of WALKS) {
    try {
      await walk(visitor);
    } catch (error) {
      await visitor.page.screenshot({ path: `${shots}/FAILED.png` });
      throw new Error(`${mode.name}, ${walk.name}: ${error.stack}`);
    }
  }
  await visitor.leave();
  await server.stop();
  proof.that('no complaint, no request elsewhere, and the server ended well', true);
}

const began = Date.now();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
async function lane() {
  for (let mode = modes.shift(); mode; mode = modes.shift()) await walkThrough(browser, mode);
}
try {
  await Promise.all(Array.from({ length: LANES }, lane));
  await take(browser, binary, `${shots}/questionnaire.png`);
} catch (error) {
  console.error(`FAILED ${error.message}`);
  process.exit(1);
}
await browser.close();
const seconds = Math.round((Date.now() - began) / 1000);
console.log(`page: ${proved()} proved, ${states()} states without a violation, in ${seconds} s`);
