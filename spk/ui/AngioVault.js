// The window of the desktop app in DSM (Ext 3.4). Its content is a page of the same origin, in a frame.
Ext.namespace('SYNO.SDS.AngioVault');

Ext.define('SYNO.SDS.AngioVault.Application', {
  extend: 'SYNO.SDS.AppInstance',
  appWindowName: 'SYNO.SDS.AngioVault.MainWindow',
  constructor: function () {
    this.callParent(arguments);
  },
});

Ext.define('SYNO.SDS.AngioVault.MainWindow', {
  extend: 'SYNO.SDS.AppWindow',
  constructor: function (config) {
    this.appInstance = config.appInstance;
    var settings = {
      layout: 'fit',
      cls: 'syno-app-win',
      resizable: true,
      maximizable: true,
      minimizable: true,
      width: 1180,
      height: 760,
      minWidth: 640,
      minHeight: 480,
      html:
        '<iframe title="AngioVault" src="webman/3rdparty/AngioVault/index.html?v=@VERSION@"' +
        ' style="width: 100%; height: 100%; border: 0"></iframe>',
    };
    SYNO.SDS.AngioVault.MainWindow.superclass.constructor.call(this, Ext.apply(settings, config));
  },
  onClose: function () {
    SYNO.SDS.AngioVault.MainWindow.superclass.onClose.apply(this, arguments);
    this.doClose();
    return true;
  },
});
