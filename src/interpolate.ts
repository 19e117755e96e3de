import { type ScopedVars } from '@grafana/data';
import { type TemplateSrv } from '@grafana/runtime';
import { fieldsOf, type Kind } from './language';
import { type Filter, type ForesightQuery, type JourneyStep, type Population } from './query';

const specialInRegex = /[\\^$.*+?()[\]{}|]/g;

/**
 * Escapes a value for the inside of a string, whichever quotes are around it:
 * quotes and control characters of ASCII are written by their codes.
 */
function quoted(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(
      /["'`]|[^\P{Cc}\u0080-\u009f]/gu,
      (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
    );
}

/** Escapes a value for a regular expression. */
export function inRegex(value: string): string {
  return value.replace(specialInRegex, '\\$&');
}

/** Escapes a value for a regular expression inside a quoted string. */
function literal(value: string): string {
  return quoted(inRegex(value));
}

interface Variable {
  multi?: boolean;
  includeAll?: boolean;
}

/**
 * Writes a variable's value into PromQL or TraceQL. A variable that may have
 * several values stands in a regular expression (`=~"$service"`), any other in
 * a plain string (`="$service"`).
 */
export function matcherValue(value: string | string[], variable: Variable): string {
  if (Array.isArray(value)) {
    return value.length === 1 ? literal(value[0]) : `(${value.map(literal).join('|')})`;
  }
  return variable.multi || variable.includeAll ? literal(value) : quoted(value);
}

/** Writes a variable's value into a regular expression that stands alone. */
function patternValue(value: string | string[]): string {
  const values = [value].flat();
  return values.length === 1 ? inRegex(values[0]) : `(${values.map(inRegex).join('|')})`;
}

// The backend chooses the step from which models learn, so only it can fill
// these in.
const filledByBackend: ScopedVars = Object.fromEntries(
  ['__interval', '__interval_ms', '__rate_interval', '__rate_interval_ms', '__range', '__range_s', '__range_ms'].map(
    (name) => [name, { text: `\${${name}}`, value: `\${${name}}` }]
  )
);

/** Replaces the dashboard's variables in every field that a person can write. */
export function interpolate(query: ForesightQuery, variables: TemplateSrv, scoped: ScopedVars): ForesightQuery {
  const scopedVars = { ...scoped, ...filledByBackend };
  const plain = (text: string) => variables.replace(text, scopedVars);
  const matcher = (text: string) => variables.replace(text, scopedVars, matcherValue);
  const pattern = (text: string) => variables.replace(text, scopedVars, patternValue);
  const names = (text: string) => oneOrSeveral(namesIn(text, variables, scopedVars));
  const side = (population: Population): Population => ({
    ...every(population, plain),
    ...(population.version !== undefined && { version: all(population.version, names) }),
    ...(typeof population.traceQL === 'string' && { traceQL: matcher(population.traceQL) }),
  });

  // A filter for one value becomes one for several.
  const filled = (filter: Filter): Filter => {
    const { key, operator, value } = filter;
    if (operator === '=~' || operator === '!~') {
      return { key: plain(key), operator, value: pattern(value) };
    }
    const values = namesIn(value, variables, scopedVars);
    if (values.includes(ALL)) {
      return { key: plain(key), operator: operator === '!=' ? '!~' : '=~', value: '.+' };
    }
    return values.length > 1
      ? { key: plain(key), operator: operator === '!=' ? '!~' : '=~', value: values.map(inRegex).join('|') }
      : { ...filter, key: plain(key), value: values[0] ?? value };
  };

  const replaced: Record<Kind, (value: unknown) => unknown> = {
    matcher: (value) => ofText(value, matcher),
    text: (value) => ofText(value, plain),
    number: (value) => ofText(value, (text) => numberIn(plain(text))),
    flag: (value) => ofText(value, (text) => flagIn(plain(text))),
    names: (value) => all(value, names),
    pattern: (value) => ofText(value, pattern),
    texts: (value) => [value].flat().flatMap((text) => ofText(text, (t) => namesIn(t, variables, scopedVars))),
    population: (value) => side(value as Population),
    filters: (value) => (Array.isArray(value) ? value.map((filter: Filter) => filled(filter)) : value),
    steps: (value) =>
      Array.isArray(value)
        ? value.map((step: JourneyStep) => ({
            ...every(step, plain),
            ...(typeof step.traceQL === 'string' && { traceQL: matcher(step.traceQL) }),
          }))
        : value,
    question: (value) => interpolate(value as ForesightQuery, variables, scoped),
    value: (value) => value,
  };
  const fields = fieldsOf(query.queryType);
  const entries = Object.entries(query).map(([field, value]) => {
    const kind = fields[field] ?? 'value';
    return [field, value === undefined || value === null ? value : replaced[kind](value)];
  });
  return Object.fromEntries(entries);
}

/** What a function makes of a text; anything else as it is. */
function ofText<T>(value: unknown, change: (text: string) => T): T | unknown {
  return typeof value === 'string' ? change(value) : value;
}

/** An object with its texts changed. */
function every<T extends object>(of: T, change: (text: string) => string): T {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, ofText(value, change)])) as T;
}

/** One name or several, each of which may stand for several. */
function all(value: unknown, names: (text: string) => string | string[]): string | string[] {
  return Array.isArray(value) ? oneOrSeveral(value.flatMap((name) => names(String(name)))) : names(String(value));
}

function oneOrSeveral(found: string[]): string | string[] {
  return found.length === 1 ? found[0] : found;
}

/** The number that a variable holds; other text as it is, of which the backend says what is wrong. */
function numberIn(text: string): number | string {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function flagIn(text: string): boolean | string {
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

/** How the backend writes all services, operations or versions. */
const ALL = '$__all';

/** The names that a text stands for: one for each value of its variables, or all there are. */
function namesIn(text: string, variables: TemplateSrv, scopedVars: ScopedVars): string[] {
  const values: string[][] = [];
  const mark = (index: number) => `\u0000${index}\u0000`;
  const marked = variables.replace(text, scopedVars, (value: string | string[], variable?: { name?: string }) => {
    const whole = text.trim().startsWith('$') && isAll(variables, variable?.name, value);
    return mark(values.push(whole ? [ALL] : [value].flat()) - 1);
  });
  return values.reduce(
    (texts, list, index) => texts.flatMap((one) => list.map((value) => one.split(mark(index)).join(value))),
    [marked]
  );
}

/**
 * Whether a value stands for all that there are: "All" is chosen of its variable,
 * and it is not the one value of a repeated panel.
 */
function isAll(variables: TemplateSrv, name: string | undefined, value: string | string[]): boolean {
  const variable = variables.getVariables?.().find((one) => one.name === name);
  if (variable === undefined || !('current' in variable) || !('value' in variable.current)) {
    return false;
  }
  const options = 'options' in variable && Array.isArray(variable.options) ? variable.options : [];
  const ofSeveral = options.filter((option) => option.value !== ALL).length > 1;
  return [variable.current.value].flat().includes(ALL) && !(ofSeveral && [value].flat().length === 1);
}
