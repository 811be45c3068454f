// Every right that the deployment gives, on one page.

@description('The identity that the app runs as.')
param identityName string

@description('Who may read the backups; empty: nobody.')
param operatorPrincipalId string

@description('Account of the Functions runtime.')
param runtimeAccountName string

@description('Account of the backups.')
param backupAccountName string

@description('Containers of the backups.')
param backupContainers string[]

@description('Whether the app may delete earlier versions of blobs there.')
param mayDeleteVersions bool

@description('Application Insights component.')
param insightsName string

// Built-in roles: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource runtimeAccount 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: runtimeAccountName
}

resource backupAccount 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: backupAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource containers 'containers' existing = [for name in backupContainers: { name: name }]
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The host keeps leases, keys and the deployed package in blobs; Durable Functions keeps its work items in
// queues and its histories in tables, and makes all of them itself.
resource runtime 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobDataOwner, roles.queueDataContributor, roles.tableDataContributor]: {
    name: guid(runtimeAccount.id, identity.id, role)
    scope: runtimeAccount
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// On the containers, not on the account: the app reads and writes backups and can do nothing else there.
// Contributor deletes a blob but none of its earlier versions, and a container only until it is restored. Owner is the
// least of the built-in roles that deletes versions.
var backupRole = mayDeleteVersions ? roles.blobDataOwner : roles.blobDataContributor

resource backups 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in backupContainers: {
    name: guid(backupAccount::blobs::containers[i].id, identity.id, backupRole)
    scope: backupAccount::blobs::containers[i]
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', backupRole)
    }
  }
]

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in backupContainers: if (!empty(operatorPrincipalId)) {
    name: guid(backupAccount::blobs::containers[i].id, operatorPrincipalId, roles.blobDataReader)
    scope: backupAccount::blobs::containers[i]
    properties: {
      principalId: operatorPrincipalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataReader)
    }
  }
]

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identity.id, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}
