import React from 'react';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { EditorView } from '@codemirror/view';
import PromQLInput from './PromQLInput';

const resources = { getResource: jest.fn(async () => ({ names: ['up'] })) } as any;

function open(value: string) {
  const told = { onCommit: jest.fn(), onProblem: jest.fn(), onFailure: jest.fn() };
  const field = (shown: string) => <PromQLInput label="PromQL" value={shown} resources={resources} {...told} />;
  const { rerender } = render(field(value));
  const box = screen.getByRole('textbox', { name: 'PromQL' });
  const view = EditorView.findFromDOM(box)!;
  const write = (insert: string) =>
    act(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert }, userEvent: 'input.type' }));
  return { ...told, box, view, write, show: (shown: string) => rerender(field(shown)) };
}

it('commits on Shift+Enter, and when it is left', async () => {
  const { box, onCommit, write } = open('up');
  write('sum(up)');
  expect(onCommit).not.toHaveBeenCalled();
  fireEvent.keyDown(box, { key: 'Enter', shiftKey: true });
  expect(onCommit).toHaveBeenLastCalledWith('sum(up)');
});

it('tells at once that it is empty', () => {
  const { onCommit, write } = open('up');
  write('');
  expect(onCommit).toHaveBeenLastCalledWith('');
});

it('tells what is wrong once it is left, and not while it is written', async () => {
  const { onProblem, box, write } = open('up');
  act(() => box.focus());
  write('sum(up');
  expect(onProblem).toHaveBeenLastCalledWith(undefined);
  act(() => box.blur());
  await act(() => new Promise((later) => setTimeout(later, 50)));
  expect(onProblem).toHaveBeenLastCalledWith(expect.stringMatching(/./));
});

it('shows what others put there, and says so to nobody', () => {
  const { box, onCommit, show } = open('');
  show('rate(up[5m])');
  expect(box).toHaveTextContent('rate(up[5m])');
  show('');
  expect(onCommit).not.toHaveBeenCalled();
});

it('lets the keyboard out', () => {
  const { box } = open('up');
  expect(fireEvent.keyDown(box, { key: 'Tab' })).toBe(true);
});
