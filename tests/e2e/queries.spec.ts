import { expect, type Page, type Response, test } from '@playwright/test';
import { choose, goodAnswer, open, picture } from './pages';

const start = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
const asItStands = async () => {};

/**
 * Every question of the editor, with what it takes until something is shown:
 * what one question was told, the next one keeps where it means the same.
 */
const questions: Array<[string, string, (page: Page) => Promise<void>]> = [
  ['What is abnormal?', 'anomaly', start('Requests')],
  ['What will happen to a metric?', 'forecast', asItStands],
  [
    'When will it cross a limit?',
    'breach',
    async (page) => {
      await page.getByLabel('Limit').fill('100');
      await page.keyboard.press('Enter');
    },
  ],
  ['How well is a service?', 'composite', (page) => choose(page, 'Service', 'orders')],
  ['May the rollout go on?', 'verdict', asItStands],
  ['How large should it be?', 'sizing', asItStands],
  ['When was it deployed?', 'deploys', asItStands],
  ['What did the deploy change?', 'traceDiff', asItStands],
  ['Who is to blame?', 'rootCause', asItStands],
  ['Who calls whom?', 'serviceMap', asItStands],
  ['What wastes time?', 'patterns', asItStands],
  ['What was watching worth?', 'impact', asItStands],
  ['Which services are there?', 'services', asItStands],
  ['Which operations has a service?', 'operations', (page) => choose(page, 'Service', 'orders')],
  ['Which versions has a service?', 'versions', asItStands],
];

/** Whether a response is to the question itself, and not to one of a picker. */
function asks(response: Response, queryType: string) {
  const queries = response.url().includes('/api/ds/query') && response.request().postDataJSON().queries;
  return queries && queries[0].refId === 'A' && queries[0].queryType === queryType;
}

test.describe.serial('in Explore', () => {
  let page: Page;

  test.beforeAll(async ({ browser, baseURL }) => {
    page = await browser.newPage({ baseURL });
    await open(page, 'explore');
  });

  test.afterAll(() => page.close());

  for (const [question, queryType, tell] of questions) {
    test(`“${question}” is answered with a picture`, async ({}, info) => {
      const answered = page.waitForResponse((response) => asks(response, queryType));
      await choose(page, 'Question', question);
      await tell(page);
      await answered;
      const shown = await goodAnswer(page);
      await expect(shown.getByRole('alert')).toHaveCount(0);
      await expect(shown.locator('canvas, svg[role=img], [role=table], [title]').first()).toBeVisible();
      await picture(page, info, `question-${queryType}`);
    });
  }
});
