import { expect, type Page, test } from '@playwright/test';
import { choose, goodAnswer, open, picture } from './pages';

const start = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
const ofOrders = (page: Page) => choose(page, 'Service', 'orders');

/** Every question of the editor, with what it takes until something is shown. */
const questions: Array<[string, (page: Page) => Promise<void>]> = [
  ['What is abnormal?', start('Requests')],
  ['What will happen to a metric?', start('Requests')],
  [
    'When will it cross a limit?',
    async (page) => {
      await page.getByLabel('Limit').fill('100');
      await start('Requests')(page);
    },
  ],
  ['How well is a service?', ofOrders],
  ['May the rollout go on?', ofOrders],
  ['How large should it be?', ofOrders],
  ['When was it deployed?', ofOrders],
  ['What did the deploy change?', ofOrders],
  ['Who is to blame?', ofOrders],
  ['Who calls whom?', ofOrders],
  ['What wastes time?', ofOrders],
  ['What was watching worth?', ofOrders],
  ['Which services are there?', async () => {}],
  ['Which operations has a service?', ofOrders],
  ['Which versions has a service?', ofOrders],
];

for (const [question, fill] of questions) {
  test(`“${question}” is answered with a picture`, async ({ page }, info) => {
    await open(page, 'explore');
    if (question !== 'What is abnormal?') {
      await choose(page, 'Question', question);
    }
    await fill(page);
    const shown = await goodAnswer(page);
    await expect(shown.getByRole('alert')).toHaveCount(0);
    await expect(shown.locator('canvas, svg[role=img], [role=table], [title]').first()).toBeVisible();
    await picture(page, info, `question-${question.replace(/\W+/g, '-')}`);
  });
}
