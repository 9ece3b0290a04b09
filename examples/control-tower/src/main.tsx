import { createRoot } from 'react-dom/client';
import { App, Trouble } from './app.tsx';
import { readConfig, shipmentsAt } from './config.ts';
import { readShipments } from './shipments.ts';
import './style.css';

const root = createRoot(document.getElementById('root') ?? document.body);
try {
  const config = await readConfig();
  const answer = await fetch(shipmentsAt(config));
  const shipments = readShipments(await answer.json());
  root.render(<App config={config} shipments={shipments} today={new Date().toISOString().slice(0, 10)} />);
} catch (error) {
  root.render(<Trouble why={error instanceof Error ? error.message : String(error)} />);
}
