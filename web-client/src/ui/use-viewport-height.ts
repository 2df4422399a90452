import { useEffect } from 'preact/hooks';

/** Keeps --app-h at what a phone's keyboard leaves of the window, where it lies over the page. */
export function useViewportHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const { style } = document.documentElement;
    const fit = () => {
      const isCovered = innerHeight - viewport.height * viewport.scale > 60;
      if (isCovered) style.setProperty('--app-h', `${viewport.height}px`);
      else style.removeProperty('--app-h');
    };
    viewport.addEventListener('resize', fit);
    return () => {
      viewport.removeEventListener('resize', fit);
      style.removeProperty('--app-h');
    };
  }, []);
}
