import { version } from '../package.json';
import type { Config } from './config.ts';
import { type Shipment, inOrder, standingOf, states } from './shipments.ts';

interface Props {
  readonly config: Config;
  readonly shipments: readonly Shipment[];
  readonly today: string;
}

export function App({ config, shipments, today }: Props) {
  const count = (standing: string) => shipments.filter((one) => standingOf(one, today) === standing).length;
  return (
    <>
      <header>
        <h1>Control tower</h1>
        <p>{config.SITE}</p>
      </header>
      <main>
        <section className="tiles">
          {['late', 'on its way', 'done'].map((standing) => (
            <p key={standing} className={`tile ${standing.replaceAll(' ', '-')}`}>
              <strong>{count(standing)}</strong> {standing}
            </p>
          ))}
        </section>
        <ul className="shipments">
          {inOrder(shipments, today).map((shipment) => (
            <Row key={shipment.id} shipment={shipment} today={today} />
          ))}
        </ul>
      </main>
      <footer>release {version}</footer>
    </>
  );
}

function Row({ shipment, today }: { readonly shipment: Shipment; readonly today: string }) {
  const { id, destination, state, due } = shipment;
  const standing = standingOf(shipment, today);
  return (
    <li className={standing.replaceAll(' ', '-')}>
      <b>{id}</b>
      <span>to {destination}</span>
      <progress value={states.indexOf(state) + 1} max={states.length} aria-label={`${id} is ${state}`} />
      <span className="state">{state}</span>
      <time dateTime={due}>{standing === 'late' ? `was due ${due}` : `due ${due}`}</time>
    </li>
  );
}

export function Trouble({ why }: { readonly why: string }) {
  return (
    <main role="alert">
      <h1>Control tower</h1>
      <p>The shipments cannot be shown: {why}</p>
    </main>
  );
}
