import React, { useEffect, useState } from 'react';
import { config } from '@grafana/runtime';
import { Button, Tab, TabsBar } from '@grafana/ui';
import { type Dashboard } from './dashboard';
import { DashboardPage } from './DashboardPage';
import { type DataSources } from './datasources';
import { ExplorePage } from './ExplorePage';
import { SettingsPage } from './SettingsPage';

interface Props {
  datasources: DataSources;
  dashboards: Dashboard[];
}

const first = '#/d/foresight-overview';

function useHash() {
  const [hash, setHash] = useState(window.location.hash || first);
  useEffect(() => {
    const follow = () => setHash(window.location.hash || first);
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return hash;
}

function switchTheme() {
  localStorage.setItem('theme', config.theme2.isDark ? 'light' : 'dark');
  window.location.search = '';
  window.location.reload();
}

/** The pages, and a plain word on what this is. */
export function App({ datasources, dashboards }: Props) {
  const hash = useHash();
  const pages = [
    ...dashboards.map(({ uid, title }) => [`#/d/${uid}`, title.replace('Foresight: ', '')]),
    ['#/explore', 'Explore'],
    ['#/settings/foresight', 'Settings'],
    ['#/settings/empty', 'Set up'],
  ];
  return (
    <div style={{ padding: 16 }}>
      <header style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', gap: 16 }}>
        <p style={{ margin: 0 }}>
          <strong>Foresight in its preview host.</strong> This is not Grafana: it hosts the real plugin, frontend and
          process, over a real Prometheus and Tempo, and draws its answers with Grafana&apos;s components.
        </p>
        <Button variant="secondary" icon="adjust-circle" onClick={switchTheme}>
          {config.theme2.isDark ? 'Light' : 'Dark'}
        </Button>
      </header>
      <TabsBar>
        {pages.map(([address, title]) => (
          <Tab key={address} label={title} href={address} active={hash.split('?')[0] === address} />
        ))}
      </TabsBar>
      <main style={{ marginTop: 16 }}>
        <Page key={hash} hash={hash} datasources={datasources} dashboards={dashboards} />
      </main>
    </div>
  );
}

function Page({ hash, datasources, dashboards }: Props & { hash: string }) {
  const [, kind, name] = hash.split('?')[0].split('/');
  const [datasource] = useState(() => datasources.foresight('foresight'));
  const dashboard = dashboards.find(({ uid }) => uid === name);
  if (kind === 'explore') {
    return <ExplorePage datasources={datasources} />;
  }
  if (kind === 'settings') {
    return <SettingsPage datasources={datasources} uid={name} />;
  }
  return dashboard ? <DashboardPage dashboard={dashboard} datasource={datasource} /> : <p>There is no such page.</p>;
}
