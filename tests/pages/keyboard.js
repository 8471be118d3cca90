// The whole walk by keyboard alone: Tab, Space, arrows and Enter.

import {
  BOOKS_WRITE_IN, CODE, EVERYTHING, MOOD, NAME, SELF, SOMEBODY, TEAM, TOOL_WRITE_IN, TRIPS, WHY,
  books, tool,
} from './questionnaires.js';

/** More stops than any page has. */
const STOPS_MAX = 40;

/** Runs in the page: whether the focus is there, and whether one sees it. */
function stop(selector) {
  const focused = document.activeElement;
  const seen = [focused, focused.closest('label')].some((it) => {
    const style = it && getComputedStyle(it);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  return { isThere: focused.matches(selector), isBody: focused === document.body, seen };
}

class Keys {
  constructor(visitor) {
    this.visitor = visitor;
    this.page = visitor.page;
    this.keyboard = visitor.page.keyboard;
    this.stops = 0;
  }

  /** Tabs on to something; whatever has the focus on the way is seen. */
  async reach(selector) {
    for (let count = 0; count < STOPS_MAX; count += 1) {
      const { isThere, isBody, seen } = await this.page.evaluate(stop, selector);
      if (!isBody && !seen) throw new Error(`the focus is not seen on the way to ${selector}`);
      if (isThere) return;
      await this.keyboard.press('Tab');
      this.stops += 1;
    }
    throw new Error(`no Tab reaches ${selector}`);
  }

  async type(selector, text) {
    await this.reach(selector);
    await this.keyboard.press('Control+A');
    await this.keyboard.type(text);
  }

  /** Chooses one of some options by arrows. */
  async choose(name, wanted) {
    await this.reach(`input[name=${name}]`);
    await this.keyboard.press('Space');
    for (let count = 0; count < STOPS_MAX; count += 1) {
      if (await this.page.isChecked(wanted)) return;
      await this.keyboard.press('ArrowDown');
    }
    throw new Error(`no arrow reaches ${wanted}`);
  }

  async tick(selector) {
    await this.reach(selector);
    await this.keyboard.press('Space');
  }

  async press(go, words, status = 200) {
    this.visitor.expected = status;
    await this.reach(`button[value=${go}]`);
    await this.keyboard.press('Enter');
    await this.visitor.says(words);
  }
}

export async function keyboard(visitor) {
  const { demo, proof, mode, page } = visitor;
  await demo.publish('scr_keys', 'By keyboard', EVERYTHING);
  await visitor.open(await demo.link('scr_keys', 'crm-keys'));
  const keys = new Keys(visitor);
  await keys.press('dismiss', 'if you change your mind');
  await keys.reach('a.button');
  await keys.keyboard.press('Enter');
  await visitor.says('Page 1 of 3');
  await keys.type(NAME, 'A');
  visitor.expected = 422;
  await keys.keyboard.press('Enter');
  await visitor.says('There are 2 answers to check');
  proof.equal('keys: Enter sends, and the summary has the focus', await visitor.focused(), 'errors');
  await visitor.look('keys-error');
  await keys.type(NAME, 'Ada');
  await keys.type(CODE, 'XYZ-789');
  await keys.type(TRIPS, '3');
  if (mode.script) {
    await keys.reach('input[type=range]');
    for (let count = 0; count < 3; count += 1) await keys.keyboard.press('ArrowLeft');
    await visitor.look('keys-slider');
  } else {
    await keys.type(MOOD, '3.5');
  }
  await keys.press('next', 'Page 2 of 3');
  await keys.press('back', 'Page 1 of 3');
  await keys.press('next', 'Page 2 of 3');
  await keys.choose('a4', books(SOMEBODY));
  await visitor.look('keys-choice');
  await keys.type(BOOKS_WRITE_IN, 'My dog');
  await keys.type(TEAM, 'Theirs');
  await keys.press('next', 'Page 3 of 3');
  await keys.tick(tool(1));
  await keys.tick(tool(2));
  await keys.type(TOOL_WRITE_IN, 'A compass');
  await keys.type(WHY, 'Why');
  await keys.keyboard.press('Enter');
  await keys.keyboard.type('not?');
  await keys.press('finish', 'Thank you!');
  const [{ id, state }] = await demo.sessionsOf('scr_keys');
  proof.equal('keys: the whole walk is completed', state, 'COMPLETED');
  proof.equal('keys: its answers are what the API tells', await demo.answers(id), {
    name: 'Ada',
    code: 'XYZ-789',
    trips: 3,
    mood: 3.5,
    books: { text: 'Somebody else: My dog', isWriteIn: true },
    team: 'Theirs',
    tools: [{ text: 'An agent', isWriteIn: false }, { text: 'Other: A compass', isWriteIn: true }],
    why: 'Why\nnot?',
  });
  proof.that('keys: the focus was seen at every stop', keys.stops > 20, keys.stops);
}
