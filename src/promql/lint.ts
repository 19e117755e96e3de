import { ensureSyntaxTree, syntaxTree } from '@codemirror/language';
import { type Diagnostic } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { type EditorView } from '@codemirror/view';
import { LanguageType, PromQLExtension, promQLLanguage } from '@prometheus-io/codemirror-promql';

const reference = /\$\w+|\$\{[^}]*\}|\[\[\w+(?::\w+)?\]\]/g;
const language = promQLLanguage(LanguageType.PromQL);
const strategy = new PromQLExtension().getLinter();

/** Beyond this, what stands for a variable is guessed alike for all of them. */
const guessed = 8;

/** A variable may stand for a name, a number or a duration; each as long as what was written. */
const standIns = [
  (length: number) => 'x'.repeat(length),
  (length: number) => '1'.repeat(length),
  (length: number) => `${'1'.repeat(length - 1)}s`,
];

/** How long a text is read at most, in milliseconds. */
const patience = 1000;

/** What a text lacks at its end, which is usual while it is written. */
export const incomplete = 'The expression is not complete.';

/** The text in the language, read to its end. */
export function read(text: string, extensions: Extension = language): EditorState {
  const state = EditorState.create({ doc: text, extensions });
  ensureSyntaxTree(state, text.length, patience);
  // A state learns of what was read when it changes.
  return state.update({}).state;
}

function judge(text: string): readonly Diagnostic[] {
  const state = read(text);
  // The strategy reads nothing but the state. It keeps quiet about the end.
  const wrong = strategy.promQL.call(strategy)({ state } as EditorView) as readonly Diagnostic[];
  return wrong.length === 0 && endsInError(state)
    ? [{ severity: 'error', message: incomplete, from: text.trimEnd().length - 1, to: text.length }]
    : wrong;
}

function endsInError(state: EditorState): boolean {
  let found = false;
  syntaxTree(state).iterate({ enter: ({ type, to }) => void (found ||= type.isError && to === state.doc.length) });
  return found;
}

/**
 * What is wrong with PromQL, for certain: nothing is, where there are values of
 * the variables in it with which it is right.
 */
export function problems(text: string): readonly Diagnostic[] {
  if (text.trim() === '') {
    return [];
  }
  const found = [...text.matchAll(reference)];
  const put = (into: string, { index, 0: written }: RegExpMatchArray, standIn: (length: number) => string) =>
    into.slice(0, index) + standIn(written.length) + into.slice(index! + written.length);
  let best = found.reduce((written, match) => put(written, match, standIns[0]), text);
  let wrong = judge(best);
  for (const match of found.slice(0, guessed)) {
    for (const standIn of standIns.slice(1)) {
      if (wrong.length === 0) {
        return wrong;
      }
      const tried = put(best, match, standIn);
      const then = judge(tried);
      if (then.length < wrong.length) {
        [best, wrong] = [tried, then];
      }
    }
  }
  return found.length > guessed ? [] : wrong;
}
