import * as emotion from '@emotion/css';
import * as data from '@grafana/data';
import * as runtime from '@grafana/runtime';
import * as ui from '@grafana/ui';
import * as react from 'react';
import * as jsx from 'react/jsx-runtime';
import * as dom from 'react-dom';
import * as rxjs from 'rxjs';
import manifest from '../../../plugin.json';

/** What a plugin does not bring along. */
const shared: Record<string, object> = {
  '@emotion/css': emotion,
  '@grafana/data': data,
  '@grafana/runtime': runtime,
  '@grafana/ui': ui,
  react,
  'react-dom': dom,
  'react/jsx-runtime': jsx,
  rxjs,
};

type Plugin = data.DataSourcePlugin<any, any, any>;

/** Loads the plugin's built module, an AMD one, as Grafana does. */
export function loadPlugin(): Promise<Plugin> {
  const uri = `public/plugins/${manifest.id}/module.js`;
  return new Promise((resolve, reject) => {
    const define = (names: string[], factory: (...modules: object[]) => { plugin: Plugin }) => {
      Reflect.deleteProperty(window, 'define'); // scripts that look for it come later
      const missing = names.filter((name) => name !== 'module' && !shared[name]);
      if (missing.length > 0) {
        return reject(new Error(`the plugin asks for ${missing.join(', ')}, which this page does not have`));
      }
      const { plugin } = factory(...names.map((name) => (name === 'module' ? { uri } : shared[name])));
      plugin.meta = { ...(manifest as object), module: uri, baseUrl: '' } as data.DataSourcePluginMeta;
      resolve(plugin);
    };
    Object.assign(window, { define: Object.assign(define, { amd: {} }) });
    const script = Object.assign(document.createElement('script'), { src: uri });
    script.onerror = () => reject(new Error(`${uri} is missing: build the plugin with "go tool mage build"`));
    document.head.append(script);
  });
}
