// Somebody who opens links in a browser of their own, and what is held against every page they see.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
/** The least that a finger hits, in pixels. */
const TARGET_MIN = 44;
/** What a browser says of a page that is a refusal. */
const REFUSED = /^Failed to load resource: the server responded with a status of (4\d\d) /;

let analysed = 0;

/** On how many pages axe found nothing. */
export const states = () => analysed;

/** Runs in the page: what is wrong with how it is laid out. */
function faults(least) {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    found.push(`${root.scrollWidth} pixels wide, of ${root.clientWidth}`);
  }
  const controls = 'a, button, textarea, input:not([type=hidden])';
  for (const control of document.querySelectorAll(controls)) {
    const isChoice = control.matches('[type=radio], [type=checkbox]');
    const target = isChoice ? control.closest('label') : control;
    const { width, height } = target.getBoundingClientRect();
    if (width === 0 && control.closest('[hidden]')) continue;
    // Half a pixel is what rounding takes.
    if (width < least - 0.5 || height < least - 0.5) {
      found.push(`${width} by ${height} pixels to hit: ${control.outerHTML}`);
    }
  }
  const icon = document.querySelector('link[rel=icon]')?.getAttribute('href') ?? '';
  if (icon !== 'data:,' && !icon.startsWith('/look/')) found.push(`another icon: ${icon}`);
  if (/\[A-Z\]/.test(document.body.innerText)) found.push('a pattern is shown');
  return found;
}

export class Visitor {
  constructor(browser, mode, demo, proof, shots) {
    Object.assign(this, { browser, mode, demo, proof, shots, complaints: [] });
  }

  options(script) {
    const { width, theme } = this.mode;
    return {
      viewport: { width, height: 800 },
      isMobile: width < 600,
      hasTouch: width < 600,
      colorScheme: theme,
      javaScriptEnabled: script,
      reducedMotion: 'reduce',
    };
  }

  /** A browser without a past, in which nothing but the pages may load, and nothing is complained of. */
  async arrive(more = {}) {
    this.context = await this.browser.newContext({ ...this.options(this.mode.script), ...more });
    this.context.setDefaultTimeout(20_000);
    const complain = (text) => this.complaints.push(text);
    this.context.on('request', (request) => {
      const { protocol, origin, pathname } = new URL(request.url());
      if (protocol === 'data:') return;
      if (origin !== this.demo.origin) complain(`a request to ${request.url()}`);
      if (pathname === '/favicon.ico') complain('a request for an icon');
    });
    this.context.on('weberror', (error) => complain(`${error.error()}`));
    this.context.on('console', (message) => {
      const status = REFUSED.exec(message.text())?.[1];
      const isComplaint = ['error', 'warning'].includes(message.type());
      if (isComplaint && (!status || Number(status) !== this.expected)) complain(message.text());
    });
    this.page = await this.context.newPage();
    return this;
  }

  /** Ends the visit; nothing may have been complained of. */
  async leave() {
    await this.context.close();
    await this.doubled?.close();
    if (this.complaints.length > 0) throw new Error(`the browser complains: ${this.complaints}`);
  }

  /** A participant with another browser, perhaps of another country. */
  async another(more) {
    return new Visitor(this.browser, this.mode, this.demo, this.proof, this.shots).arrive(more);
  }

  /** Opens a link; `status` is what a refusal answers. */
  async open(link, status = 200) {
    this.expected = status;
    const answer = await this.page.goto(new URL(link, this.demo.origin).href);
    if (answer.status() !== status) throw new Error(`${answer.status()} at ${link}`);
  }

  /** Presses a button, and waits for a page that says something. */
  async press(go, words, status = 200) {
    this.expected = status;
    await this.page.click(`button[value=${go}]`);
    await this.says(words);
  }

  async says(words) {
    await this.page.getByText(words).first().waitFor();
  }

  async hides(selector) {
    return (await this.page.locator(selector).count()) === 0 || this.page.isHidden(selector);
  }

  /** The id of what has the focus. */
  async focused() {
    return this.page.evaluate(() => document.activeElement.id);
  }

  /** Waits until something on the page holds. */
  async until(what) {
    await this.page.waitForFunction(what);
  }

  /** Photographs the page, and holds it against what every page must be. */
  async look(name) {
    const { width, theme, script } = this.mode;
    const file = `${name}-${width}-${theme}-${script ? 'js' : 'nojs'}.png`;
    await this.page.screenshot({ path: `${this.shots}/${file}`, fullPage: true });
    const wrong = await this.page.evaluate(faults, TARGET_MIN);
    wrong.push(...(await this.violations()), ...this.complaints);
    if (wrong.length > 0) throw new Error(`${file}:\n${wrong.join('\n')}`);
    analysed += 1;
  }

  /** What axe finds. It comes by the browser's own protocol, which no policy of a page can refuse. */
  async violations() {
    const page = this.mode.script ? this.page : await this.double();
    const protocol = await page.context().newCDPSession(page);
    const evaluate = async (expression, awaitPromise) => {
      const { result, exceptionDetails } = await protocol.send('Runtime.evaluate', {
        expression, awaitPromise, returnByValue: awaitPromise,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    };
    await evaluate(AXE, false);
    const found = await evaluate('axe.run()', true);
    await protocol.detach();
    if (found.passes.length === 0) throw new Error('axe looked at nothing');
    return found.violations.map(({ id, nodes }) => {
      const places = nodes.map((node) => `${node.html} ${node.failureSummary}`);
      return `${id}: ${places.join(' | ')}`;
    });
  }

  /** The same page where scripts run, which axe needs, but for the page's own. */
  async double() {
    const html = await this.page.content();
    this.doubled ??= await this.browser.newContext(this.options(true));
    const page = this.doubled.pages()[0] ?? (await this.doubled.newPage());
    await page.unrouteAll();
    await page.route('**/*', (route) => {
      const type = route.request().resourceType();
      if (type === 'document') return route.fulfill({ body: html, contentType: 'text/html' });
      return type === 'script' ? route.abort() : route.continue();
    });
    await page.goto(this.page.url());
    return page;
  }
}
