import React from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { isComplete } from '../language';
import { type AnomalyQuery, type ForesightQuery, type ReplayQuery } from '../query';
import { ReplayButton, ReplayFields } from './ReplayFields';
import { exploreReplay, questionOf, replayOf } from './replay';

const query: AnomalyQuery = {
  refId: 'A',
  queryType: 'anomaly',
  expr: 'up',
  direction: 'above',
  format: 'alert',
  live: true,
  threshold: 80,
};

describe('a replay of a question', () => {
  it('asks what the rule asks, and no more', () => {
    const replay = replayOf(query);
    expect(replay.question).toEqual({ queryType: 'anomaly', expr: 'up', direction: 'above', threshold: 80 });
    expect(isComplete(replay)).toBe(true);
    expect(questionOf(replay)).toMatchObject({ refId: 'A', queryType: 'anomaly', expr: 'up' });
  });

  it('is complete only if its question, or its PromQL, is', () => {
    const empty: ReplayQuery = { refId: 'A', queryType: 'replay' };
    expect(isComplete(empty)).toBe(false);
    expect(isComplete({ ...empty, expr: 'up' })).toBe(true);
    expect(isComplete({ ...empty, question: { queryType: 'composite' } })).toBe(false);
  });
});

describe('the button', () => {
  const button = (shown: ForesightQuery, alerting = false) => {
    const onCommit = jest.fn();
    render(<ReplayButton query={shown} alerting={alerting} uid="f" onCommit={onCommit} />);
    return onCommit;
  };

  it('turns a question into its replay, and the replay back', async () => {
    const onCommit = button(query);
    await userEvent.click(screen.getByRole('button', { name: /would this have alerted/ }));
    expect(onCommit).toHaveBeenCalledWith(expect.objectContaining({ queryType: 'replay', view: 'course', for: '2m' }));
    const back = jest.fn();
    render(<ReplayFields query={onCommit.mock.lastCall[0]} onCommit={back} resources={{ getResource: jest.fn() }} />);
    await userEvent.click(screen.getByRole('button', { name: /Edit the question/ }));
    expect(back).toHaveBeenCalledWith(expect.objectContaining({ queryType: 'anomaly', expr: 'up' }));
  });

  it('leaves the query of a rule alone', () => {
    button(query, true);
    const link = screen.getByRole('link', { name: /would this have alerted/ });
    expect(link).toHaveAttribute('href', exploreReplay(query, 'f'));
    expect(decodeURIComponent(exploreReplay(query, 'f'))).toContain('"queryType":"replay"');
  });

  it.each<ForesightQuery>([
    { refId: 'A', queryType: 'forecast', expr: 'up' },
    { refId: 'A', queryType: 'anomaly', expr: '' },
  ])('is not there for what cannot be replayed', (shown) => {
    button(shown);
    expect(screen.queryByRole('button')).toBeNull();
  });
});
