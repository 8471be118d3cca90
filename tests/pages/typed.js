// What is typed in a browser of another country is what the API tells; and what the script adds.

const options = (count) => Array.from({ length: count }, (_, number) => ({
  id: `o${number}`, text: number === 20 ? 'Türkiye' : `Option ${number}`,
}));

const DRAFT = {
  pages: [
    { id: 'numbers', questions: [
      { id: 'any', prompt: 'Any number?', numeric: {} },
      { id: 'count', prompt: 'How many?', numeric: { step: 1 } },
      { id: 'score', prompt: 'Would you recommend us?',
        numeric: { slider: true, min: 0, max: 10, step: 1 } },
      { id: 'ten', prompt: 'At most ten characters?', required: true, text: { maxLength: 10 } },
    ] },
    { id: 'lists', questions: [
      { id: 'dozen', prompt: 'One of a dozen?', singleSelect: { options: options(12) } },
      { id: 'forty', prompt: 'Some of forty?', multiSelect: { options: options(40) } },
    ] },
  ],
};

const EMOJI = '😀'.repeat(10);
const LISTS = 'One of a dozen?';

/** Waits for what the API tells. */
async function told(demo, holds) {
  const end = Date.now() + 10_000;
  for (;;) {
    const [session] = await demo.sessionsOf('scr_typed');
    const answers = session ? await demo.answers(session.id) : {};
    if (holds(answers) || Date.now() > end) return answers;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

export async function typed(visitor) {
  const { demo, proof, mode } = visitor;
  await demo.publish('scr_typed', 'Typed', DRAFT);
  const link = await demo.link('scr_typed', 'crm-typed');
  const guest = await visitor.another({ locale: 'de-DE' });
  await guest.open(link);
  await numbers(guest);
  await guest.look('typed-2');
  await lists(guest);
  if (mode.script) {
    await guest.open(`${link}&page=1`);
    await saving(guest);
    await leaving(guest, link);
  }
  proof.that('typed: nothing was complained of', guest.complaints.length === 0, guest.complaints);
  await guest.leave();
}

async function numbers(guest) {
  const { demo, page, proof, mode } = guest;
  const any = page.locator('#q0');
  for (const [number, words] of [
    ['12h', 'Enter a number.'], ['1.000', 'Do you mean 1000 or 1?'], ['--', 'Enter a number.'],
  ]) {
    await any.fill(number);
    await page.fill('#q3', EMOJI);
    await guest.press('next', 'There is 1 answer to check', 422);
    await guest.says(words);
    proof.equal(`"${number}" stands as it was typed`, await any.inputValue(), number);
    const hint = await page.isVisible('#h0');
    proof.equal('an error stands in place of the hint', hint, false);
  }
  await guest.look('typed-1-errors');
  await any.fill('');
  await any.pressSequentially('1,5');
  if (mode.script) {
    await page.locator('.error').waitFor({ state: 'detached' });
    proof.that('a mended error goes, and the hint is there', await page.isVisible('#h0'));
    proof.that('and so does the summary', await guest.hides('.summary'));
  }
  await any.focus();
  await page.mouse.wheel(0, 300);
  await page.mouse.wheel(0, -300);
  proof.equal('the wheel changes no number', await any.inputValue(), '1,5');
  await page.fill('#q1', '1.500');
  await page.check('input[name=a2][value="10"]');
  proof.equal('a short scale is buttons', await page.locator('input[name=a2]').count(), 11);
  await guest.press('next', LISTS);
  const { any: decimal, count, score, ten } = await told(demo, ({ count }) => count !== undefined);
  proof.equal('numbers are what was meant', [decimal, count, score], [1.5, 1500, 10]);
  proof.equal('ten characters are ten, in the browser, too', ten, EMOJI);
  await guest.press('back', 'Any number?');
  proof.equal('a number is shown as it was understood', await any.inputValue(), '1.5');
  await readings(guest);
  await guest.press('next', LISTS);
}

/** A number that may be two, in both readings; by mouse and by keyboard. */
async function readings(guest) {
  const { demo, page, proof, mode } = guest;
  const any = page.locator('#q0');
  const group = page.getByRole('radiogroup', { name: 'Do you mean 12345 or 12.345?' });
  for (const [picked, number] of [['12345', 12345], ['12.345', 12.345]]) {
    await any.fill('12,345');
    await page.fill('#q3', EMOJI);
    await guest.press('next', 'Do you mean 12345 or 12.345?', 422);
    await guest.look(`typed-1-readings-${picked}`);
    await page.click('.summary a');
    proof.equal('the summary leads to the two numbers', await guest.focused(), 'r0');
    proof.equal('neither is chosen', await group.getByRole('radio', { checked: true }).count(), 0);
    await page.keyboard.press('Space');
    if (picked === '12.345') await page.keyboard.press('ArrowDown');
    const radio = group.getByRole('radio', { name: picked, exact: true });
    proof.that(`${picked} is chosen`, await radio.isChecked());
    if (mode.script) {
      await page.locator('.error').waitFor({ state: 'detached' });
      const { any: saved } = await told(demo, ({ any: it }) => it === number);
      proof.equal(`${picked} is saved`, saved, number);
      proof.that('and the choice stands', await radio.isChecked());
      await any.fill('7');
      proof.that('another number is not asked about', await group.isHidden());
      await any.fill('12,345');
      proof.that('the same one is', await group.isVisible());
    }
    await guest.press('next', LISTS);
    const { any: stored } = await told(demo, ({ any: it }) => it === number);
    proof.equal(`${picked} is stored`, stored, number);
    await guest.press('back', 'Any number?');
    proof.equal('and shown', await any.inputValue(), picked);
    await guest.press('next', LISTS);
    await guest.press('back', 'Any number?');
    proof.equal('and left alone it is not asked about', await any.inputValue(), picked);
  }
}

async function lists(guest) {
  const { page, proof, mode } = guest;
  const shown = () => page.locator('[data-filter] .choice:visible').count();
  if (!mode.script) {
    proof.equal('without a script there is no filter', await page.locator('.filter').count(), 0);
    return;
  }
  proof.equal('only the long list has a filter', await page.locator('.filter').count(), 1);
  await page.check('input[name=a5][value="3"]');
  await page.fill('.filter', 'TURK');
  proof.equal('what matches is shown, and what is chosen', await shown(), 2);
  await guest.look('typed-2-filtered');
  await page.press('.filter', 'Enter');
  await page.fill('.filter', '');
  proof.equal('without a filter all are shown', await shown(), 40);
}

async function saving(guest) {
  const { demo, page, proof } = guest;
  await page.fill('#q0', '2,5');
  await page.fill('#q1', '12h');
  await guest.says('Saved, except answers that aren’t finished yet.');
  const { any, count } = await told(demo, ({ any: it }) => it === 2.5);
  proof.equal('what is finished is saved, and nothing else', [any, count], [2.5, 1500]);
  await page.fill('#q1', '7');
  await page.fill('#q3', '');
  await page.getByText('Saved', { exact: true }).waitFor();
  const { ten } = await told(demo, ({ count: it }) => it === 7);
  proof.equal('an emptied field is emptied on the server', ten, undefined);
  await page.fill('#q3', '12345678');
  proof.equal('the counter comes when few are left', await page.innerText('#cq3'), '2 characters left');
}

async function leaving(guest, link) {
  const { demo, page, proof } = guest;
  const address = page.url();
  await guest.context.setOffline(true);
  await page.click('button[value=next]');
  await guest.says('You’re offline. Your answers are still on this page.');
  proof.equal('offline stays on the page', page.url(), address);
  await guest.context.setOffline(false);
  await page.waitForFunction(() => navigator.onLine);
  // The page that was to come is stopped: for the script it was sent, and nothing follows.
  await page.evaluate(() => {
    document.querySelector('form').addEventListener('submit', (event) => event.preventDefault(), { once: true });
  });
  await page.click('button[value=next]');
  await page.waitForFunction(() => document.querySelector('button[value=next]').disabled);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('button[value=next]').disabled);
  proof.equal('a stopped page can be sent', await page.getAttribute('form', 'aria-busy'), null);
  await page.evaluate(() => addEventListener('pagehide', () => {
    const sent = document.querySelector('form');
    const seen = [sent.getAttribute('aria-busy'), sent.querySelector('button').textContent];
    sessionStorage.setItem('seen', seen.join(' '));
  }));
  await guest.press('next', LISTS);
  const seen = await page.evaluate(() => sessionStorage.getItem('seen'));
  proof.equal('sending is told', seen, 'true Sending…');
  await guest.open(`${link}&page=1`);
  await page.fill('#q0', '9,75');
  await page.goto('about:blank');
  const { any } = await told(demo, ({ any: it }) => it === 9.75);
  proof.equal('what was typed last is saved although the page went away', any, 9.75);
}
