// Before the app, in DSM: where its API is. Behind a CGI, which gets the daemon's path as its last parameter, so that
// links, pictures and events carry DSM's token too. Language and token are those of the desktop around this frame.
(() => {
  function ofDesktop(read) {
    try {
      return read(window.parent) || '';
    } catch (_) {
      // In a window of its own there is no desktop around it, or one that does not say.
      return '';
    }
  }
  var token = ofDesktop((desktop) => desktop.SYNO.SDS.Session.SynoToken);
  var language = ofDesktop((desktop) => desktop.SYNO.SDS.Session.lang);
  var own = [];
  if (/^[\w.~-]+$/.test(token)) own.push('SynoToken=' + token);
  if (/^[a-z]{3}$/.test(language)) own.push('lang=' + language);
  own.push('p=');
  window.__API_BASE__ = '/webman/3rdparty/AngioVault/api.cgi?' + own.join('&');
})();
