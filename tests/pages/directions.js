// Questions that are written from right to left: all of one begins at the right.

const option = (id, text, more) => ({ id, text, ...more });

const DRAFT = {
  language: 'ar',
  introduction: 'أسئلة قليلة فقط.',
  pages: [{ id: 'all', questions: [
    { id: 'name', prompt: 'ما اسمك؟', required: true, text: { minLength: 2, maxLength: 80 } },
    { id: 'age', prompt: 'كم عمرك؟', required: true, numeric: { min: 0, max: 120, step: 1 } },
    { id: 'mood', prompt: 'كيف حالك؟', numeric: { slider: true, min: 0, max: 100 } },
    { id: 'score', prompt: 'ما تقييمك؟', numeric: { slider: true, min: 0, max: 5, step: 1 } },
    { id: 'phone', prompt: 'iPhone أم Android؟', required: true, singleSelect: { options: [
      option('iphone', 'iPhone'), option('other', 'هاتف آخر', { writeIn: true }),
    ] } },
    { id: 'tools', prompt: 'ماذا تستخدم؟', multiSelect: { options: [
      option('web', 'الويب'), option('app', 'التطبيق'),
    ] } },
  ] }],
};

/** Runs in the page: what does not begin at the side at which it should. */
function astray(side) {
  const found = [];
  const gap = (outer, inner) => (side === 'right' ? outer.right - inner.right : inner.left - outer.left);
  const textOf = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect();
  };
  for (const question of document.querySelectorAll('.question')) {
    const outer = question.getBoundingClientRect();
    const words = question.querySelectorAll(':scope > label > [lang], legend > [lang], .hint, .error');
    for (const element of words) {
      if (element.hidden) continue;
      if (Math.abs(gap(outer, textOf(element))) > 1) found.push(element.outerHTML);
    }
    const prompt = question.querySelector(':scope > label > [lang], legend > [lang]');
    const direction = side === 'right' ? 'rtl' : 'ltr';
    if (getComputedStyle(prompt).direction !== direction) found.push(`its order: ${prompt.outerHTML}`);
    for (const field of question.querySelectorAll('.number')) {
      if (Math.abs(gap(outer, field.getBoundingClientRect())) > 1) found.push(field.outerHTML);
      if (getComputedStyle(field).textAlign !== side) found.push(`its text: ${field.outerHTML}`);
    }
    for (const tick of question.querySelectorAll('[type=radio], [type=checkbox]')) {
      if (tick.closest('.scale')) continue;
      const label = tick.closest('label').getBoundingClientRect();
      const box = tick.getBoundingClientRect();
      const isThere = side === 'right' ? box.left > (label.left + label.right) / 2
        : box.right < (label.left + label.right) / 2;
      if (!isThere) found.push(tick.outerHTML);
    }
  }
  return found;
}

export async function directions(visitor) {
  const { demo, page, proof } = visitor;
  for (const [language, side] of [['ar', 'right'], ['de', 'left']]) {
    const id = `scr_side_${language}`;
    await demo.publish(id, 'استبيان', { ...DRAFT, language });
    await visitor.open(await demo.link(id, 'crm-side'));
    await visitor.look(`side-${language}`);
    proof.equal(`${language}: all begins at the ${side}`, await page.evaluate(astray, side), []);
    const [first, second] = await page.$$eval('.scale input', (all) => [all[0], all[1]]
      .map((it) => it.getBoundingClientRect().left));
    proof.equal(`${language}: a scale begins there, too`, first > second, side === 'right');
    await visitor.press('finish', 'There are 3 answers to check', 422);
    await visitor.look(`side-${language}-errors`);
    const wrong = await page.evaluate(astray, side);
    proof.equal(`${language}: what is wrong begins at the ${side}`, wrong, []);
  }
  // Without a language, each question begins where its own first letter does.
  const { language, ...unknown } = DRAFT;
  await demo.publish('scr_side', 'Side', { ...unknown, pages: [{ id: 'all', questions: [
    { id: 'he', prompt: 'מה דעתך?', numeric: {} }, { id: 'en', prompt: 'Why?', numeric: {} },
  ] }] });
  await visitor.open(await demo.link('scr_side', 'crm-side'));
  const sides = await page.$$eval('.question', (all) => all.map((it) => getComputedStyle(it).direction));
  proof.equal('without a language the first letter tells', sides, ['rtl', 'ltr']);
}
