import { get } from 'lodash';
import { type ScopedVars, type TypedVariableModel } from '@grafana/data';
import { type TemplateSrv } from '@grafana/runtime';

/** A dashboard's variable, as its JSON says. */
export interface Variable {
  name: string;
  label?: string;
  description?: string;
  type: 'query' | 'textbox' | 'custom';
  query: any;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  current: { value?: string | string[] };
}

const all = '$__all';
const reference = /\$(\w+)|\$\{(\w+)(?:\.([^:}]+))?(?::\w+)?\}/g;

/** The values of the dashboard that is shown. */
class Templates implements TemplateSrv {
  variables: Variable[] = [];
  values: Record<string, string | string[]> = {};
  options: Record<string, string[]> = {};

  getVariables() {
    return this.variables.map((one) => ({
      ...one,
      options: (this.options[one.name] ?? []).map((value) => ({ value, text: value })),
    })) as unknown as TypedVariableModel[];
  }

  containsTemplate(text = '') {
    return text.search(reference) >= 0;
  }

  updateTimeRange() {}

  /** The text with every known variable replaced, as Grafana's template service does. */
  replace(text = '', scoped: ScopedVars = {}, format?: string | Function) {
    return text.replace(reference, (match, plain, braced, path) => {
      const name: string = plain ?? braced;
      if (name === '__field') {
        return String(get(scoped.__dataContext?.value.field, path) ?? match);
      }
      const variable = this.variables.find((one) => one.name === name);
      const value = scoped[name]?.value ?? this.valueOf(name, variable);
      if (value === undefined) {
        return match;
      }
      return typeof format === 'function' ? format(value, variable ?? {}) : [value].flat().join(',');
    });
  }

  private valueOf(name: string, variable?: Variable) {
    const value = this.values[name];
    const whole = [value].flat().includes(all);
    return whole ? (variable?.allValue ?? this.options[name]) : value;
  }

  /** The chosen values one by one, for panels that repeat. */
  each(name: string): string[] {
    const value = this.valueOf(
      name,
      this.variables.find((one) => one.name === name)
    );
    return [value ?? []].flat();
  }
}

export const templates = new Templates();

/** Gives a variable a value, as a person does who chooses one. */
export function setValue(name: string, value: string | string[]) {
  templates.values[name] = value;
}
