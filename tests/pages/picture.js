// The picture of README: the second page of the example data's questionnaire, as a narrow screen shows
// it, half filled in.

import { Demo } from './demo.js';

/** What the picture shows of the page, in pixels of the page, each of which is four of the picture. */
const VIEWPORT = { width: 420, height: 780 };

/** Takes the picture, on example data of its own. */
export async function take(browser, binary, file) {
  const demo = await Demo.start(binary);
  const page = await browser.newPage({
    viewport: VIEWPORT, deviceScaleFactor: 2, reducedMotion: 'reduce',
  });
  await page.goto(`${demo.origin}/s/onboarding-003-kim`);
  await page.fill('#q0', 'Head of research');
  await page.fill('#q1', '12');
  await page.fill('#q2', '7.5');
  await page.click('button[value=next]');
  await page.getByText('Page 2 of 2').first().waitFor();
  await page.check('input[name=a3][value="1"]');
  await page.check('input[name=a4][value="0"]');
  await page.check('input[name=a4][value="2"]');
  await page.fill('input[name="w4.2"]', 'Customer success');
  await page.getByText('Saved').waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: file });
  await page.close();
  await demo.stop();
}
