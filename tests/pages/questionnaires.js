// Questionnaires of the check's own, beside those of the example data.

const option = (id, text, more) => ({ id, text, ...more });

/** The fields of `EVERYTHING`, by where the questions stand in it. */
export const NAME = '#q0', CODE = '#q1', TRIPS = '#q2', MOOD = '#q3';
export const TEAM = '#q5', WHY = '#q7';
export const books = (number) => `input[name=a4][value="${number}"]`;
export const tool = (number) => `input[name=a6][value="${number}"]`;
export const BOOKS_WRITE_IN = 'input[name="w4.3"]', TOOL_WRITE_IN = 'input[name="w6.2"]';
export const SELF = 0, OFFICE = 1, NOBODY = 2, SOMEBODY = 3;

/** Every kind of question, and choices that lead past some. */
export const EVERYTHING = {
  pages: [
    { id: 'you', questions: [
      { id: 'name', prompt: 'What is your name?', required: true,
        text: { minLength: 2, maxLength: 80 } },
      { id: 'code', prompt: 'Your booking code: three capital letters and three digits, such as ABC-123',
        text: { pattern: '[A-Z]{3}-[0-9]{3}' } },
      { id: 'trips', prompt: 'How many trips do you take in a year?', required: true,
        numeric: { min: 0, max: 200, step: 1 } },
      { id: 'mood', prompt: 'How much do you like flying, from 0 to 10?',
        numeric: { slider: true, min: 0, max: 10, step: 0.5 } },
    ] },
    { id: 'how', questions: [
      { id: 'books', prompt: 'Who books your trips?', required: true, singleSelect: { options: [
        option('self', 'I do'),
        option('office', 'My office', { goToQuestionId: 'tools' }),
        option('nobody', 'Nobody, I stay at home', { goToEnd: {} }),
        option('somebody', 'Somebody else', { writeIn: true }),
      ] } },
      { id: 'team', prompt: 'Which team are you in?', text: {} },
    ] },
    { id: 'what', questions: [
      { id: 'tools', prompt: 'Which tools do you use?', required: true,
        multiSelect: { maxChoices: 2, options: [
          option('web', 'Web sites'), option('agent', 'An agent'),
          option('other', 'Other', { writeIn: true }),
        ] } },
      { id: 'why', prompt: 'Why do you travel?', text: { multiLine: true, maxLength: 200 } },
    ] },
  ],
};

const WORD = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';

export const LONG_TITLE = `${WORD} and everything else that is long`;

/** Words that do not fit a line, and a language that is written from right to left. */
export const LONG = {
  pages: [{ id: 'long', questions: [
    { id: 'word', prompt: `${WORD}?`, required: true, text: { multiLine: true } },
    { id: 'options', prompt: 'Which of these?', required: true, singleSelect: { options: [
      option('long', `${WORD}${WORD}`, { writeIn: true }),
      option('address', `https://example.com/${'path/'.repeat(30)}`),
      option('arabic', 'في كل يوم تقريبًا، وأحيانًا مرتين.'),
    ] } },
    { id: 'hebrew', prompt: 'מה דעתך על השירות שקיבלת?', text: {} },
  ] }],
};

/** One question, so that its page is the first and the last. */
export const SHORT = {
  pages: [{ id: 'short', questions: [
    { id: 'word', prompt: 'One word?', required: true, text: { maxLength: 20 } },
  ] }],
};
