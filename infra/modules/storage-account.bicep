// A storage account that only identities open: no shared keys, no anonymous reads, nothing deleted at once.

@minLength(3)
@maxLength(24)
@description('Name of the account.')
param name string

@description('Containers to make.')
param containers string[]

@description('Days for which what was deleted can be brought back.')
param recoveryDays int

@description('Days after which earlier versions of a blob are deleted; 0 keeps them for ever.')
param versionDays int

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
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: { enabled: true, days: recoveryDays }
      containerDeleteRetentionPolicy: { enabled: true, days: recoveryDays }
    }

    resource made 'containers' = [
      for container in containers: {
        name: container
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource lifecycle 'managementPolicies' = if (versionDays > 0) {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'delete-earlier-versions'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'] }
              actions: { version: { delete: { daysAfterCreationGreaterThan: versionDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

@description('Address of its Blob service.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
