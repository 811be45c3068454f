// An account for the share that is backed up, and for nothing else. Azure mounts a share with the account's
// key only, so this account keeps its keys, and the two accounts that hold code and backups need none.

@minLength(3)
@maxLength(24)
@description('Name of the account.')
param name string

@description('Name of the share.')
param shareName string

@description('Region.')
param location string

@description('Tags of the resources.')
param tags { *: string }

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource files 'fileServices' = {
    name: 'default'
    properties: { shareDeleteRetentionPolicy: { enabled: true, days: 14 } }

    resource share 'shares' = {
      name: shareName
      properties: { enabledProtocols: 'SMB', accessTier: 'TransactionOptimized' }
    }
  }
}
