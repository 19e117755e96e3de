import React from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ForesightDataSource } from '../datasource';
import { type NamesQuery } from '../query';
import { VariableQueryEditor } from './VariableQueryEditor';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getTemplateSrv: () => ({ getVariables: () => [], replace: (text: string) => text }),
}));

const datasource = { names: async () => ['orders'] } as unknown as ForesightDataSource;

function open(query: Partial<NamesQuery>) {
  const onChange = jest.fn();
  render(
    <VariableQueryEditor
      {...{ datasource, onChange }}
      onRunQuery={jest.fn()}
      query={{ refId: 'A', ...query } as NamesQuery}
    />
  );
  return { onChange, user: userEvent.setup() };
}

it('lists services unless something else is chosen', async () => {
  const { onChange, user } = open({});
  expect(screen.getByRole('radio', { name: 'Services' })).toBeChecked();
  expect(screen.queryByRole('combobox', { name: 'Service' })).not.toBeInTheDocument();
  await user.click(screen.getByRole('radio', { name: 'Versions' }));
  expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ queryType: 'versions', schemaVersion: 1 }));
});

it('asks whose versions', () => {
  open({ queryType: 'versions', service: 'orders' });
  expect(screen.getByRole('combobox', { name: 'Service' })).toHaveValue('orders');
});
