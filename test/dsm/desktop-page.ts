// DSM's desktop as far as a package sees it: ExtJS's names that an AppWindow uses, the session, the texts, one button.
import { readFileSync } from 'node:fs';
import type { Machine } from './machine.ts';

const UI = 'volume1/@appstore/AngioVault/ui';

export function desktopPage(
  machine: Machine,
  session: { readonly user: string; readonly synoToken: string },
  language: string,
): string {
  const config = JSON.parse(readFileSync(machine.path(`${UI}/config`), 'utf8')) as Record<
    string,
    Record<string, { type: string; icon: string }>
  >;
  const [script = '', parts = {}] = Object.entries(config)[0] ?? [];
  const [application = '', { icon = '' } = {}] =
    Object.entries(parts).find(([, { type }]) => type === 'app') ?? [];
  const texts = readFileSync(machine.path(`${UI}/texts/${language}/strings`), 'utf8');
  const title = /^title="(?<title>.*)"$/m.exec(texts)?.groups?.title ?? '';
  return `<!doctype html>
<meta charset="utf-8">
<title>DSM</title>
<style>
  body { margin: 0; height: 100vh; background: linear-gradient(#3d6d94, #1d3a55); font: 14px sans-serif; }
  button { margin: 24px; border: 0; background: none; color: white; }
  .window { position: fixed; inset: 12px 12px 12px 130px; background: white; border-radius: 6px; overflow: hidden; display: flex; flex-direction: column; }
  .window > header { padding: 8px 12px; background: #eef2f6; }
  .window > div { flex: 1; }
</style>
<button id="app"><img src="/webman/3rdparty/AngioVault/${icon.replace('{0}', '64')}" alt=""><br>${title}</button>
<script>
  // The part of ExtJS 3.4 and of DSM's own classes on which windows of packages are built.
  const at = (path) => path.split('.').reduce((place, name) => (place[name] ??= {}), window);
  const put = (path, value) => { const names = path.split('.'); const last = names.pop(); at(names.join('.'))[last] = value; };
  window.Ext = {
    namespace: at,
    apply: (to, from) => Object.assign(to, from),
    define(name, { extend, constructor, ...members }) {
      const parent = at(extend);
      const Class = function () { return constructor.apply(this, arguments); };
      Class.prototype = Object.create(parent.prototype, Object.getOwnPropertyDescriptors(members));
      Class.prototype.callParent = function (args) { parent.apply(this, args); };
      Class.superclass = { ...parent.prototype, constructor: parent };
      put(name, Class);
    },
  };
  put('SYNO.SDS.Session', { SynoToken: ${JSON.stringify(session.synoToken)}, lang: ${JSON.stringify(language)}, user: ${JSON.stringify(session.user)} });
  SYNO.SDS.AppInstance = function () {};
  SYNO.SDS.AppInstance.prototype.open = function () { return new (at(this.appWindowName))({ appInstance: this }); };
  SYNO.SDS.AppWindow = function (settings) {
    this.element = Object.assign(document.createElement('section'), { className: 'window' });
    this.element.innerHTML = '<header>${title} <a href="#" id="close">×</a></header><div></div>';
    this.element.lastElementChild.innerHTML = settings.html;
    this.element.querySelector('#close').onclick = () => this.onClose();
    document.body.append(this.element);
  };
  Object.assign(SYNO.SDS.AppWindow.prototype, { onOpen() {}, onClose() {}, doClose() { this.element.remove(); } });
</script>
<script src="/webman/3rdparty/AngioVault/${script}"></script>
<script>document.getElementById('app').onclick = () => new (at(${JSON.stringify(application)}))().open();</script>
`;
}
