import { expect, type Page, type Response, test } from '@playwright/test';
import { choose, goodAnswer, open, picture } from './pages';

const start = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
const asItStands = async () => {};

/**
 * Every question of the editor, with what it takes until something is shown:
 * what one question was told, the next one keeps where it means the same.
 */
const questions: Array<[string, string, (page: Page) => Promise<void>]> = [
  ['Is a metric anomalous?', 'anomaly', start('Requests')],
  ['What will happen to a metric?', 'forecast', asItStands],
  [
    'When will it cross a limit?',
    'breach',
    async (page) => {
      await page.getByLabel('Limit').fill('100');
      await page.keyboard.press('Enter');
    },
  ],
  ['How healthy is a service?', 'composite', (page) => choose(page, 'Service', 'orders')],
  ['Is the canary safe?', 'verdict', asItStands],
  ['What size does it need?', 'sizing', asItStands],
  ['When was it deployed?', 'deploys', asItStands],
  ['What did the deploy change?', 'traceDiff', asItStands],
  ['What is the root cause?', 'rootCause', asItStands],
  ['Who calls whom?', 'serviceMap', asItStands],
  ['What is inefficient?', 'patterns', asItStands],
  ['How did alerting perform?', 'impact', asItStands],
  ['Which services are there?', 'services', asItStands],
  ['Which operations does a service have?', 'operations', (page) => choose(page, 'Service', 'orders')],
  ['Which versions does a service have?', 'versions', asItStands],
];

/** Whether a response is to the question itself, and not to one of a picker. */
function asks(response: Response, queryType: string) {
  const queries = response.url().includes('/api/ds/query') && response.request().postDataJSON().queries;
  return queries && queries[0].refId === 'A' && queries[0].queryType === queryType;
}

test('PromQL is completed from what the server knows, and told to be wrong before it is run', async ({
  page,
}, info) => {
  await open(page, 'explore');
  const field = page.getByRole('textbox', { name: 'PromQL' });
  await expect(field).toHaveAttribute('contenteditable', 'true');
  await field.click();
  await page.keyboard.type('rate(http_server', { delay: 50 });
  const option = (name: string) => page.getByRole('listbox').getByRole('option', { name });
  await option('http_server_request_duration_seconds_count').click();
  await page.keyboard.type('{service_name="', { delay: 50 });
  await expect(option('orders')).toBeVisible();
  await picture(page, info, 'promql');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('alert').filter({ hasText: 'expected type matrix' })).toBeVisible();
});

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
      await choose(page, 'Query type', question);
      await tell(page);
      await answered;
      const shown = await goodAnswer(page);
      await expect(shown.getByRole('alert')).toHaveCount(0);
      await expect(shown.locator('canvas, svg[role=img], [role=table], [title]').first()).toBeVisible();
      await picture(page, info, `question-${queryType}`);
    });
  }
});
