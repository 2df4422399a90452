import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { render } from 'preact';
import { ErrorBoundary, lazy, LocationProvider, Route, Router } from 'preact-iso';
import { NotFoundScreen } from './screens/not-found';
import { sendWaiting } from './sync/errands';

// A screen's code comes with its first use: a list of documents needs no editor.
const Home = lazy(() => import('./screens/home').then(({ HomeScreen }) => HomeScreen));
const Editor = lazy(() => import('./screens/editor').then(({ EditorScreen }) => EditorScreen));

function App() {
  return (
    <LocationProvider>
      <ErrorBoundary>
        <Router>
          <Route path="/" component={Home} />
          <Route path="/d/:name" component={Editor} />
          <Route default component={NotFoundScreen} />
        </Router>
      </ErrorBoundary>
    </LocationProvider>
  );
}

const root = document.getElementById('app');
if (root) render(<App />, root);

// Not before the screen is there. A browser without a local store has nothing that waits.
const kSettleMs = 1_000;
const shown = /^\/d\/([^/]+)/.exec(location.pathname)?.[1];
setTimeout(() => {
  sendWaiting(shown === undefined ? null : decodeURIComponent(shown)).catch(() => {});
}, kSettleMs);
