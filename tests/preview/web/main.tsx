import React from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, standardTransformers, standardTransformersRegistry, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { config, setBackendSrv, setDataSourceSrv, setGrafanaLiveSrv, setTemplateSrv } from '@grafana/runtime';
import { GlobalStyles } from '@grafana/ui';
import manifest from '../../../plugin.json';
import { App } from './App';
import { backend } from './backend';
import { type Dashboard } from './dashboard';
import { loadPlugin } from './plugin';
import { live } from './live';
import { DataSources } from './datasources';
import { trends } from './trends';
import { templates } from './templates';

// Editors work without the thread that would count brackets.
window.MonacoEnvironment = { getWorker: () => new Worker('editor.worker.js') };

/** The services that Grafana gives to plugins, then the plugin as it was built. */
async function start() {
  await initPluginTranslations('grafana-preview');
  standardTransformersRegistry.setInit(() =>
    // One stands there under two names.
    [...new Set([...Object.values(standardTransformers), trends])].map((transformation) => ({
      ...transformation,
      transformation,
      editor: () => null,
      imageDark: '',
      imageLight: '',
    }))
  );
  setBackendSrv(backend);
  setTemplateSrv(templates);
  setGrafanaLiveSrv(live);
  const datasources = new DataSources(await loadPlugin());
  setDataSourceSrv(datasources);
  await datasources.reload();
  const dashboards: Dashboard[] = await backend.get('/api/dashboards');
  const order = manifest.includes.map(({ name }) => name);
  dashboards.sort((a, b) => order.indexOf(a.title) - order.indexOf(b.title));
  createRoot(document.getElementById('page')!).render(
    <ThemeContext.Provider value={createTheme({ colors: { mode: config.theme2.colors.mode } })}>
      <GlobalStyles />
      <App datasources={datasources} dashboards={dashboards} />
    </ThemeContext.Provider>
  );
}

start().catch((problem) => {
  document.body.textContent = `The preview host could not start: ${problem.message}`;
});
