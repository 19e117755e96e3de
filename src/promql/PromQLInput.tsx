import React, { useEffect, useRef } from 'react';
import { type TimeRange } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { linter, lintKeymap } from '@codemirror/lint';
import { EditorState, Prec, Transaction } from '@codemirror/state';
import { EditorView, keymap, placeholder, tooltips } from '@codemirror/view';
import { hoverHelp, promQL } from './help';
import { incomplete, problems } from './lint';
import { look } from './look';
import { Names, type Resources } from './names';
import { variableCompletion } from './templates';

export interface PromQLInputProps {
  label: string;
  value: string;
  resources: Resources;
  range?: TimeRange;
  onCommit: (expr: string) => void;
  /** What is wrong with the text once the field is left; nothing while it is written. */
  onProblem: (message?: string) => void;
  /** Why nothing can be completed. */
  onFailure: (message: string) => void;
}

/** What is wrong with what stands there; that something is still to come is no fault. */
function wrong({ state, hasFocus }: EditorView) {
  const writing = hasFocus && state.selection.main.head === state.doc.length;
  return problems(state.doc.toString()).filter(({ message }) => !writing || message !== incomplete);
}

/**
 * PromQL with highlighting, completion and help. Tab leaves the field, and takes
 * what is selected while suggestions are shown; F8 goes to the next problem.
 */
export default function PromQLInput({ label, value, resources, range, ...told }: PromQLInputProps) {
  const theme = useTheme2();
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>();
  const tell = useRef({ ...told, range });
  const text = useRef(value);
  useEffect(() => {
    tell.current = { ...told, range };
  });

  useEffect(() => {
    const names = new Names(
      resources,
      () => tell.current.range,
      (message) => tell.current.onFailure(message)
    );
    const commit = ({ state }: EditorView) => {
      tell.current.onCommit(state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: text.current,
        extensions: [
          Prec.highest(keymap.of([{ key: 'Shift-Enter', run: commit }])),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          variableCompletion,
          promQL(names),
          linter(wrong),
          hoverHelp(names),
          look(theme),
          tooltips({ parent: document.body }),
          placeholder('Write PromQL; Ctrl+Space lists what fits'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          keymap.of([
            { key: 'Tab', run: acceptCompletion },
            ...closeBracketsKeymap,
            ...lintKeymap,
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of(({ view, docChanged, focusChanged, transactions }) => {
            text.current = view.state.doc.toString();
            if (docChanged) {
              tell.current.onProblem(undefined);
            }
            const written = transactions.some((one) => one.annotation(Transaction.userEvent) !== undefined);
            if (docChanged && written && text.current.trim() === '') {
              // An empty field offers to start from something at once.
              tell.current.onCommit('');
            }
            if (focusChanged && !view.hasFocus) {
              commit(view);
              tell.current.onProblem(problems(text.current)[0]?.message);
            }
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, resources, theme]);

  useEffect(() => {
    const editor = view.current;
    if (editor && !editor.hasFocus && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  return <div ref={place} />;
}
