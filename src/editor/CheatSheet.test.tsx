import React from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { fieldsOf, isComplete } from '../language';
import { type ForesightQuery } from '../query';
import { CheatSheet, examples } from './CheatSheet';

it('gives examples that can be asked as they stand', () => {
  for (const { query } of examples('orders')) {
    expect(isComplete({ refId: 'A', ...query } as ForesightQuery)).toBe(true);
    const known = Object.keys(fieldsOf(query.queryType as ForesightQuery['queryType']));
    expect(Object.keys(query).filter((field) => field !== 'queryType' && !known.includes(field))).toEqual([]);
  }
});

it('asks of the first service that is found', async () => {
  const asked = jest.fn();
  const datasource = { names: () => Promise.resolve(['cart', 'orders']) };
  render(<CheatSheet datasource={datasource as never} query={{} as never} onClickExample={asked} />);
  await userEvent.click(await screen.findByRole('button', { name: 'What is the root cause of a change in cart?' }));
  expect(asked).toHaveBeenCalledWith({ refId: 'A', schemaVersion: 1, queryType: 'rootCause', service: 'cart' });
});

it('shows what can be asked where no service is found', async () => {
  const datasource = { names: () => Promise.reject(new Error('Tempo is away')) };
  render(<CheatSheet datasource={datasource as never} query={{} as never} onClickExample={jest.fn()} />);
  expect(await screen.findByRole('button', { name: 'How well is my-service?' })).toBeInTheDocument();
});
