import { CompletionContext } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import { type EditorState } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';
import { newCompleteStrategy, PromQLExtension } from '@prometheus-io/codemirror-promql';
import { read } from './lint';
import { type Names } from './names';

/** Completion that knows the language alone, and no metric. */
const terms = newCompleteStrategy();

/** What PromQL's own words mean: functions, aggregations, modifiers. */
export async function meaning(word: string): Promise<string> {
  const state = read(word);
  const offered = await terms.promQL(new CompletionContext(state, word.length, true));
  const term = offered?.options.find(({ label }) => label === word);
  return typeof term?.info === 'string' ? term.info : '';
}

interface Help {
  from: number;
  to: number;
  title: string;
  text: string;
}

const isFunction = 'FunctionIdentifier';
const isAggregation = 'AggregateOp';

/** What there is to say about the word at a place: a function, an aggregation or a metric. */
export async function helpAt(state: EditorState, place: number, names: Names): Promise<Help | null> {
  for (let node = syntaxTree(state).resolveInner(place, 0); node.parent; node = node.parent) {
    const { from, to, name } = node;
    const word = state.sliceDoc(from, to);
    if (name === isFunction || name === isAggregation) {
      const text = await meaning(word);
      return text ? { from, to, title: word, text } : null;
    }
    if (name === 'Identifier') {
      const { type, help } = await names.describe(word);
      return help || type
        ? { from, to, title: [word, type && `(${type})`].filter(Boolean).join(' '), text: help }
        : null;
    }
  }
  return null;
}

/** Help where the pointer rests. */
export const hoverHelp = (names: Names) =>
  hoverTooltip(async ({ state }, place) => {
    const help = await helpAt(state, place, names);
    if (!help) {
      return null;
    }
    return {
      pos: help.from,
      end: help.to,
      above: true,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'cm-help';
        const title = dom.appendChild(document.createElement('strong'));
        title.textContent = help.title;
        const text = dom.appendChild(document.createElement('div'));
        text.textContent = help.text;
        return { dom };
      },
    };
  });

/** Completion and highlighting of PromQL over the names that the backend knows. */
export const promQL = (names: Names) =>
  new PromQLExtension().setComplete({ remote: names }).activateLinter(false).asExtension();
