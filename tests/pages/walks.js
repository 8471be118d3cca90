// Walks through the pages, with a mouse or a finger, and what the API tells after each.

import {
  BOOKS_WRITE_IN, CODE, EVERYTHING, LONG, LONG_TITLE, MOOD, NAME, NOBODY, OFFICE, SELF, SHORT,
  SOMEBODY, TEAM, TOOL_WRITE_IN, TRIPS, WHY, books, tool,
} from './questionnaires.js';

const SAVED = 'Saved';

async function state(visitor, session) {
  return (await visitor.demo.session(session)).state;
}

/** The whole questionnaire of the example data. */
export async function demo(visitor) {
  const { demo, page, proof } = visitor;
  const session = 'scses_791';
  const link = new URL(`/screeners/scr_124/${session}`, demo.origin);
  for (const method of ['HEAD', 'GET']) await fetch(link, { method });
  await visitor.open('/s/onboarding-003-kim');
  await visitor.says('Page 1 of 2');
  await visitor.look('demo-1');
  proof.equal('opening a link starts nothing', await state(visitor, session), 'NOT_STARTED');

  await visitor.press('next', 'There are 3 answers to check', 422);
  await visitor.look('demo-1-errors');
  proof.equal('the summary has the focus', await visitor.focused(), 'errors');
  proof.that('the title says so', (await page.title()).startsWith('Check your answers: '));
  proof.equal('what is refused starts nothing', await state(visitor, session), 'NOT_STARTED');
  await page.fill('#q0', 'Chef de <b>cuisine</b>');
  await page.fill('#q1', '12');
  await page.fill('#q2', '0.75');
  await visitor.press('next', 'Page 2 of 2');
  proof.equal('the first page starts it', await state(visitor, session), 'IN_PROGRESS');
  await visitor.look('demo-2');

  const other = await visitor.another();
  await other.open(link.href);
  await other.says('Page 2 of 2');
  await other.press('back', 'Page 1 of 2');
  const kept = await other.page.inputValue('#q0');
  proof.equal('another browser goes on where the first was', kept, 'Chef de <b>cuisine</b>');
  await other.leave();

  const writeIn = 'input[name="w4.2"]';
  const hidden = await visitor.hides(writeIn);
  proof.equal('a write-in waits for its option, with a script', hidden, visitor.mode.script);
  await page.check('input[name=a3][value="1"]');
  await page.check('input[name=a4][value="0"]');
  await page.check('input[name=a4][value="2"]');
  await page.fill(writeIn, 'The kitchen');
  await visitor.look('demo-2-filled');
  await page.dblclick('button[value=finish]');
  await visitor.says('Thank you!');
  await visitor.look('thanks');
  proof.equal('a double click completes it once', await state(visitor, session), 'COMPLETED');
  proof.equal('its answers are what the API tells', await demo.answers(session), {
    scq_role: 'Chef de <b>cuisine</b>',
    scq_years: 12,
    scq_budget: 0.75,
    scq_size: { text: '11-200', isWriteIn: false },
    scq_channels: [
      { text: 'Sales', isWriteIn: false },
      { text: 'Other: The kitchen', isWriteIn: true },
    ],
    scq_note: null,
  });
  await visitor.open(link.href);
  await visitor.says('Already answered');
  await visitor.look('already-answered');
  proof.that('a completed link takes nothing', await visitor.hides('form'));
}

/** A session that others began. */
export async function begun(visitor) {
  const { demo, page, proof } = visitor;
  await visitor.open('/s/onboarding-001-alex');
  await visitor.says('Page 1 of 2');
  proof.equal('a role is there already', await page.inputValue('#q0'), 'VP of Research');
  await page.fill('#q1', '7');
  await page.fill('#q2', '1');
  await visitor.press('next', 'Page 2 of 2');
  proof.equal('a team is, too', await page.inputValue('input[name="w4.2"]'), 'Insights Hub');
  await page.check('input[name=a3][value="2"]');
  await page.fill('#q5', 'Nothing else.\nReally.'.replace('\n', ' '));
  await visitor.press('finish', 'Thank you!');
  proof.equal('old and new answers are told', await demo.answers('scses_789'), {
    scq_role: 'VP of Research',
    scq_channels: [
      { text: 'Sales', isWriteIn: false },
      { text: 'Other: Insights Hub', isWriteIn: true },
    ],
    scq_years: 7,
    scq_budget: 1,
    scq_size: { text: '201+', isWriteIn: false },
    scq_note: 'Nothing else. Really.',
  });
}

/** Every kind of question, with errors, skips, and ways back. */
export async function everything(visitor) {
  const { demo, page, proof, mode } = visitor;
  await demo.publish('scr_all', 'Travellers', EVERYTHING);
  const link = await demo.link('scr_all', 'crm-new');
  const answers = async () => demo.answers((await demo.sessionsOf('scr_all'))[0].id);
  await visitor.open(link);
  await visitor.look('all-1');
  const slider = page.locator('input[type=range]');
  if (mode.script) {
    proof.equal('a slider begins in the middle', await slider.inputValue(), '5');
    const said = await slider.getAttribute('aria-valuetext');
    proof.equal('and says that it is no answer', said, 'Not answered yet');
  } else {
    proof.equal('a slider is a number without a script', await slider.count(), 0);
  }
  await page.fill(NAME, 'A');
  await page.fill(CODE, 'abc');
  await page.fill(TRIPS, '2.5');
  await visitor.press('next', 'There are 3 answers to check', 422);
  await visitor.look('all-1-errors');
  proof.equal('errors: the summary has the focus', await visitor.focused(), 'errors');
  await visitor.says('Check the format.');
  await page.click('.summary a[href="#q1"]');
  proof.equal('the summary leads to the second', await visitor.focused(), 'q1');
  proof.equal('nothing of it is kept', await demo.sessionsOf('scr_all'), []);
  await page.fill(NAME, 'Ada');
  await page.fill(CODE, 'ABC-123');
  await page.fill(TRIPS, '12');
  if (mode.script) {
    await page.getByText(SAVED).waitFor();
    await visitor.look('all-1-saved');
    const { name, code, trips, mood } = await answers();
    const expected = ['Ada', 'ABC-123', 12, undefined];
    proof.equal('a script keeps what is typed', [name, code, trips, mood], expected);
  }
  await visitor.press('next', 'Page 2 of 3');
  proof.equal('an untouched slider is no answer', (await answers()).mood, null);
  await visitor.press('back', 'Page 1 of 3');
  if (mode.script) {
    await slider.press('ArrowRight');
    proof.equal('a slider moves the number', await page.inputValue(MOOD), '5.5');
  } else {
    await page.fill(MOOD, '5.5');
  }
  await visitor.press('next', 'Page 2 of 3');
  await visitor.look('all-2');
  await page.check(books(SOMEBODY));
  await page.fill(BOOKS_WRITE_IN, '');
  await visitor.press('next', 'There is 1 answer to check', 422);
  await visitor.says('Enter your answer for');
  await visitor.look('all-2-errors');
  await skips(visitor, answers);
  await last(visitor, answers);
  await visitor.open(link);
  await visitor.says('Already answered');
}

/** Back and forth over questions that a choice leads past. */
async function skips(visitor, answers) {
  const { page, proof } = visitor;
  await page.check(books(OFFICE));
  await visitor.press('next', 'Page 3 of 3');
  await visitor.press('back', 'Page 2 of 3');
  proof.equal('a question that is led past is not asked', await page.locator(TEAM).count(), 0);
  await page.check(books(SELF));
  await visitor.press('next', 'Which team are you in?');
  proof.that('led back to, it is asked', await page.isVisible(TEAM));
  await page.fill(TEAM, 'Ours');
  await visitor.press('next', 'Page 3 of 3');
  await visitor.press('back', 'Page 2 of 3');
  await page.check(books(NOBODY));
  await visitor.press('next', 'That was the last question.');
  await visitor.look('all-2-became-the-last');
  proof.equal('what is led past is dropped', (await answers()).team, undefined);
  await page.check(books(SOMEBODY));
  await page.fill(BOOKS_WRITE_IN, 'My cat');
  await visitor.press('finish', 'Which team are you in?');
  await page.fill(TEAM, 'Ours');
  await visitor.press('next', 'Page 3 of 3');
}

async function last(visitor, answers) {
  const { demo, page, proof, mode } = visitor;
  await visitor.look('all-3');
  await visitor.press('finish', 'There is 1 answer to check', 422);
  await visitor.look('all-3-errors');
  await page.click('.summary a');
  proof.equal('of options, the first is led to', await visitor.focused(), 'q6');
  for (const number of [0, 1, 2]) await page.check(tool(number));
  await page.fill(TOOL_WRITE_IN, 'Maps');
  await page.fill(WHY, 'For work.\nAnd for fun.');
  await visitor.press('finish', 'Choose up to 2', 422);
  await page.uncheck(tool(1));
  await visitor.look('all-3-filled');
  await visitor.press('finish', 'Thank you!');
  const [session] = await demo.sessionsOf('scr_all');
  proof.equal('every kind is completed', session.state, 'COMPLETED');
  proof.equal('every kind of answer is what the API tells', await answers(), {
    name: 'Ada',
    code: 'ABC-123',
    trips: 12,
    mood: 5.5,
    books: { text: 'Somebody else: My cat', isWriteIn: true },
    team: 'Ours',
    tools: [{ text: 'Web sites', isWriteIn: false }, { text: 'Other: Maps', isWriteIn: true }],
    why: 'For work.\nAnd for fun.',
  });
}

/** "Not now", and then now after all. */
export async function dismissed(visitor) {
  const { demo, page, proof } = visitor;
  await visitor.open(await demo.link('survey-123', 'crm-busy'));
  await visitor.look('scale');
  await visitor.press('dismiss', 'if you change your mind');
  await visitor.look('not-now');
  const { panelist } = await demo.access('survey-123', 'crm-busy');
  proof.that('"not now" is told', panelist.dismissedMostRecentUnixTs > 0, panelist);
  proof.equal('and starts nothing', panelist.sessionCount, 0);
  await page.click('text=Answer now');
  await visitor.says('Send answers');
  proof.that('a page that is the only one is not counted', await visitor.hides('#progress'));
  await visitor.press('finish', 'There is 1 answer to check', 422);
  proof.equal('an untouched scale is missing', await visitor.focused(), 'errors');
  await visitor.look('scale-errors');
  await page.check('input[name=a0][value="4"]');
  await visitor.press('finish', 'Thank you!');
  const { id } = (await demo.sessionsOf('survey-123')).at(-1);
  proof.equal('its answer is what the API tells', await demo.answers(id), { scq_satisfaction: 4 });
}

/** A link that is removed while somebody answers. */
export async function removed(visitor) {
  const { demo, page, proof } = visitor;
  const { id, screenerSessionLink } = await demo.invite('scr_124', 'crm-removed');
  await visitor.open(screenerSessionLink);
  proof.that('a session has no "not now"', await visitor.hides('button[value=dismiss]'));
  for (const number of [0, 1, 2]) await page.fill(`#q${number}`, '3');
  await visitor.press('next', 'Page 2 of 2');
  const before = await demo.answers(id);
  await demo.remove(id);
  await page.check('input[name=a3][value="1"]');
  await page.check('input[name=a4][value="1"]');
  await visitor.press('finish', 'This link is no longer valid', 410);
  await visitor.look('no-longer-valid');
  proof.equal('a removed link keeps nothing more', await demo.answers(id), before);
  proof.equal('and what was kept stays', before.scq_years, 3);
}

/** The pages of links that take no answer. */
export async function endings(visitor) {
  const { demo, page, proof } = visitor;
  for (const [survey, panelist, words, name, status] of [
    ['survey-closed', 'crm-late', 'This survey is closed.', 'closed'],
    ['survey-draft', 'crm-early', 'is not open yet', 'not-yet-open'],
    ['survey-123', 'customer-revoked', 'no longer valid', 'revoked', 410],
  ]) {
    await visitor.open(await demo.link(survey, panelist), status);
    await visitor.says(words);
    await visitor.look(name);
    proof.that(`${name} is said in words`, await visitor.hides('form'));
  }
  await visitor.open('/s/nobody', 404);
  await visitor.look('not-found');
  await demo.publish('scr_often', 'Once a week', SHORT, { allowMultipleResponses: true });
  await visitor.open(await demo.link('scr_often', 'crm-often'));
  for (const word of ['one', 'two']) {
    await page.fill('#q0', word);
    await visitor.press('finish', 'Thank you!');
    await visitor.look('thanks-once-more');
    await page.click('text=Answer again');
    await visitor.says('One word?');
  }
  const sessions = await demo.sessionsOf('scr_often');
  const told = await Promise.all(sessions.map(({ id }) => demo.answers(id)));
  proof.equal('whoever may answers again', told, [{ word: 'one' }, { word: 'two' }]);
}

/** Pages that are shown once more, and why. */
export async function notices(visitor) {
  const { demo, page, proof } = visitor;
  await demo.publish('scr_new', 'Changing', EVERYTHING);
  const link = await demo.link('scr_new', 'crm-slow');
  await visitor.open(link);
  await page.fill(NAME, 'Eve');
  await page.fill(TRIPS, '1');
  await demo.publishAgain('scr_new', { pages: [EVERYTHING.pages[0], ...SHORT.pages] });
  await visitor.press('next', 'The questions have changed.', 409);
  await visitor.look('questions-changed');
  proof.equal('changed questions keep nothing', await demo.sessionsOf('scr_new'), []);
  await visitor.open(`${link}&page=2`);
  await page.fill('#q4', 'last');
  await visitor.press('finish', 'There are 2 answers to check');
  await visitor.look('missing');
  proof.equal('whoever jumps ahead is led to what is missing', await visitor.focused(), 'errors');
  // Another window has sent the same page with other answers.
  const hidden = (name) => page.inputValue(`input[name=${name}]`);
  const [publication, request_id] = [await hidden('publication'), await hidden('request_id')];
  const sent = new URLSearchParams({ publication, request_id, q: 0, a0: 'Eve', go: 'next' });
  await fetch(`${link}&page=1`, { method: 'POST', body: sent, redirect: 'manual' });
  await page.fill(NAME, 'Eva');
  await page.fill(TRIPS, '1');
  await visitor.press('next', 'You already sent this page with different answers.', 409);
  await visitor.look('sent-before');
  await visitor.press('next', 'Page 2 of 2');
  const [{ id }] = await demo.sessionsOf('scr_new');
  const { name, trips, word } = await demo.answers(id);
  proof.equal('the last word counts', { name, trips, word }, { name: 'Eva', trips: 1, word: 'last' });
  await tooOften(visitor, link);
}

/** A link that is used far too often within a minute, but not so late that the minute ends here. */
async function tooOften(visitor, link) {
  const { page, proof } = visitor;
  const body = new URLSearchParams({ go: 'save', publication: 'none' });
  let seconds = 0;
  while (seconds < 5) {
    const answer = await fetch(link, { method: 'POST', body });
    seconds = Number(answer.headers.get('retry-after') ?? 0);
  }
  await visitor.press('finish', 'Too many tries', 429);
  await visitor.look('too-often');
  proof.that('too much is refused in words', await visitor.hides('form'));
}

/** A look of the tenant's own, and words that are long. */
export async function looks(visitor) {
  const { demo, page, proof } = visitor;
  await demo.publish('scr_long', LONG_TITLE, LONG);
  const link = await demo.link('scr_long', 'crm-patient');
  await visitor.open(link);
  await visitor.look('long');
  await visitor.press('finish', 'There are 2 answers to check', 422);
  await visitor.look('long-errors');
  const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
  await demo.rpc('LookService/SetLook', { look: {
    displayName: 'The Panel of Everybody', accentColor: '#ffcc00',
    privacyText: 'Your answers are kept for one year.\nNobody else sees them.',
    privacyUrl: 'https://example.com/privacy',
  } });
  await visitor.open(link);
  await visitor.says('The Panel of Everybody');
  await visitor.look('look');
  await visitor.open('/s/onboarding-002-sam');
  await visitor.look('look-already-answered');
  await demo.rpc('LookService/SetLook', { look: {
    displayName: 'The Panel of Everybody', logo: picture, accentColor: '#5b2a86',
  } });
  await visitor.open(link);
  await visitor.look('look-logo');
  const loaded = () => document.querySelector('header img').naturalWidth === 1;
  proof.that('a logo is shown', await page.evaluate(loaded));
  await page.evaluate(() => { document.documentElement.lang = ''; });
  const bitten = await visitor.violations();
  proof.that('axe finds what is planted', /^html-has-lang: /.test(bitten.join()), bitten);
}
