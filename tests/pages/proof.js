// What was proved, a line each; the first that is not ends the check.

import { isDeepStrictEqual, inspect } from 'node:util';

let count = 0;

export const proved = () => count;

export class Proof {
  constructor(about) {
    this.about = about;
  }

  /** The fact holds, or the check ends with what came instead. */
  that(fact, holds, came) {
    if (!holds) throw new Error(`${this.about}: not so: ${fact}\ncame: ${inspect(came, { depth: 9 })}`);
    count += 1;
    console.log(`ok ${this.about}: ${fact}`);
  }

  equal(fact, came, expected) {
    this.that(fact, isDeepStrictEqual(came, expected), { came, expected });
  }
}
