// Shows the share to the app as a directory. The account's key goes from the account to the app's
// configuration, and appears in no parameter, output or application setting.

@description('Name of the function app.')
param appName string

@description('Account that holds the share.')
param accountName string

@description('Resource group of that account.')
param accountResourceGroup string

@description('Name of the share.')
param shareName string

@description('Where the app sees it.')
param mountPath string

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accountName
  scope: resourceGroup(accountResourceGroup)
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName

  resource mounts 'config' = {
    name: 'azurestorageaccounts'
    properties: {
      site: {
        type: 'AzureFiles'
        protocol: 'Smb'
        accountName: account.name
        accessKey: account.listKeys().keys[0].value
        shareName: shareName
        mountPath: mountPath
      }
    }
  }
}
