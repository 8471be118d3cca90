// A page that goes away before what was typed is saved, and what is too long to be saved.

const TEXTS = 70;
/** The longest text, which fits four times into what a browser sends of a page that is gone. */
const LONGEST = 15_000;

const DRAFT = {
  pages: [{ id: 'texts', questions: Array.from({ length: TEXTS }, (_, number) => ({
    id: `t${number}`, prompt: `Text ${number}?`, text: { multiLine: true },
  })) }],
};

const UNSAVED = 'Your answers are still on this page.';

/** Waits for what the API tells of a session. */
async function told(demo, holds) {
  const end = Date.now() + 10_000;
  for (;;) {
    const [session] = await demo.sessionsOf('scr_parting');
    const answers = session ? await demo.answers(session.id) : {};
    if (holds(answers) || Date.now() > end) return answers;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

export async function parting(visitor) {
  if (!visitor.mode.script) return;
  const { demo, proof } = visitor;
  await demo.publish('scr_parting', 'Parting', DRAFT);
  const link = await demo.link('scr_parting', 'crm-parting');
  const guest = await visitor.another();
  const asked = [];
  guest.page.on('dialog', async (dialog) => {
    asked.push(dialog.type());
    await dialog.accept();
  });
  await nothing(guest, link);
  await inFlight(guest, link);
  await failed(guest, link);
  proof.equal('parting: what is sent anyway is not asked about', asked, []);
  await large(guest, link, asked);
  await tooLong(guest, link);
  await guest.leave();
}

/** Something is typed and taken back before anything is saved. */
async function nothing(guest, link) {
  const { page, proof } = guest;
  await guest.open(link);
  await page.evaluate(() => {
    const status = document.querySelector('.saved');
    window.said = [];
    new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true });
  });
  const answer = page.waitForResponse((it) => it.request().method() === 'POST');
  await page.fill('#q0', 'x');
  await page.fill('#q0', '');
  const told = await (await answer).json();
  proof.equal('parting: nothing is saved', told, { saved: false, unfinished: [], missing: [] });
  await page.fill('#q0', 'something');
  await page.getByText('Saved', { exact: true }).waitFor();
  proof.equal('parting: nor said to be', await page.evaluate(() => window.said), ['Saved']);
}

/** The page goes away while a save is on its way. */
async function inFlight(guest, link) {
  const { demo, page, proof } = guest;
  await guest.open(link);
  await page.evaluate(() => {
    const real = window.fetch;
    // As if the connection were slow: what was sent arrives nowhere, and nothing comes back.
    window.fetch = (address, options) => (options.keepalive ? real(address, options)
      : new Promise((_, no) => {
        document.body.dataset.sent = 'yes';
        options.signal.addEventListener('abort', () => no(options.signal.reason));
      }));
  });
  await page.fill('#q0', 'in flight');
  await guest.until(() => document.body.dataset.sent === 'yes');
  await page.goto('about:blank');
  const { t0 } = await told(demo, ({ t0: it }) => it === 'in flight');
  proof.equal('parting: what is being saved is saved', t0, 'in flight');
}

/** A save has failed, and nothing was typed since. */
async function failed(guest, link) {
  const { context, demo, page, proof } = guest;
  await guest.open(link);
  await page.evaluate(() => {
    const real = window.fetch;
    window.fetch = (address, options) => (options.keepalive ? real(address, options)
      : Promise.reject(new TypeError('no connection')));
  });
  await page.fill('#q1', 'failed');
  await guest.says(UNSAVED);
  await page.goto('about:blank');
  const { t1 } = await told(demo, ({ t1: it }) => it === 'failed');
  proof.equal('parting: what could not be saved is saved', t1, 'failed');
  await guest.open(link);
  await page.fill('#q2', 'saved');
  await page.getByText('Saved', { exact: true }).waitFor();
  let sent = 0;
  const count = (request) => { if (request.method() === 'POST') sent += 1; };
  context.on('request', count);
  await page.goto('about:blank');
  await guest.open(link);
  context.off('request', count);
  proof.equal('parting: what is saved is not sent again', sent, 0);
}

/** More than a browser sends of a page that is gone. */
async function large(guest, link, asked) {
  const { demo, page, proof } = guest;
  const text = (letter) => letter.repeat(LONGEST);
  const numbers = [3, 4, 5, 6, 7, 8];
  for (const number of numbers) await page.fill(`#q${number}`, text('a'));
  await page.getByText('Saved', { exact: true }).waitFor();
  await told(demo, ({ t8 }) => t8 === text('a'));
  await page.fill('#q5', 'changed');
  await page.goto('about:blank');
  const { t4, t5 } = await told(demo, ({ t5: it }) => it === 'changed');
  proof.equal('parting: of a large page, what has changed is saved', [t4, t5], [text('a'), 'changed']);
  proof.equal('parting: and nothing is asked', asked, []);
  await guest.open(link);
  // A browser asks only where something was done.
  await page.click('#q3');
  for (const number of numbers) await page.fill(`#q${number}`, text('b'));
  await page.goto('about:blank');
  proof.equal('parting: what does not fit is asked about', asked, ['beforeunload']);
  const answers = await told(demo, ({ t3 }) => t3 === text('b'));
  proof.that('parting: what fits is saved', answers.t3 === text('b') && answers.t6 === text('b'));
}

/** More than a session may have. */
async function tooLong(guest, link) {
  const { page, proof } = guest;
  await guest.open(link);
  guest.expected = 413;
  await page.evaluate(([count, length]) => {
    for (let number = 0; number < count; number += 1) {
      document.querySelector(`#q${number}`).value = 'x'.repeat(length);
    }
    document.querySelector('#q0').dispatchEvent(new Event('input', { bubbles: true }));
  }, [TEXTS, 16_000]);
  await guest.says('Your answers are too long, so they aren’t saved.');
  await guest.press('finish', 'There is 1 answer to check', 422);
  await guest.says('Your answers are too long together. Shorten this one.');
  const kept = await page.inputValue('#q69');
  proof.equal('too long: all that was typed is there', kept.length, 16_000);
}
