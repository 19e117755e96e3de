import React, { useState } from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type AnomalyQuery } from '../query';
import { FeedbackFields } from './FeedbackFields';

function open(feedback?: AnomalyQuery['feedback']) {
  let last: AnomalyQuery = { refId: 'A', queryType: 'anomaly', feedback };
  const Editor = () => {
    const [query, setQuery] = useState(last);
    const onCommit = (changed: AnomalyQuery) => {
      last = changed;
      setQuery(changed);
    };
    return <FeedbackFields {...{ query, onCommit }} />;
  };
  render(<Editor />);
  return { user: userEvent.setup(), feedback: () => last.feedback };
}

it('takes what was said of an event, and takes it back', async () => {
  const { user, feedback } = open();
  await user.click(screen.getByText('Feedback on past events'));
  await user.type(screen.getByLabelText('Add event at'), '-3h{Enter}');
  expect(feedback()).toEqual([{ time: '-3h', real: false }]);
  await user.click(screen.getByRole('radio', { name: 'Real' }));
  expect(feedback()).toEqual([{ time: '-3h', real: true }]);
  expect(screen.getByText('Feedback: 1 real, 0 false')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Remove event 1' }));
  expect(feedback()).toBeUndefined();
});

it('changes one event and leaves the others', async () => {
  const { user, feedback } = open([
    { time: '2026-01-30T12:00:00Z', real: true },
    { time: '2026-01-31T12:00:00Z', real: false },
  ]);
  await user.click(screen.getByText('Feedback: 1 real, 1 false'));
  const time = screen.getByLabelText('Event 2 at');
  await user.clear(time);
  await user.type(time, '-1d{Enter}');
  expect(feedback()).toEqual([
    { time: '2026-01-30T12:00:00Z', real: true },
    { time: '-1d', real: false },
  ]);
});
