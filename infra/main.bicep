// Everything that site-backup needs in Azure: `azd up`, or
// `az deployment sub create --location LOCATION --template-file infra/main.bicep --parameters environmentName=NAME location=LOCATION`.
// Why this plan and these accounts: docs/decisions/0001-hosting-plan.md
targetScope = 'subscription'

import { backupInput, pruneInput } from 'modules/schedule-input.bicep'

@minLength(1)
@maxLength(64)
@description('Name of the environment; names the resource group and, hashed, every resource in it.')
param environmentName string

@minLength(1)
@description('Region of every resource. It must offer Flex Consumption: `az functionapp list-flexconsumption-locations`.')
@metadata({ azd: { type: 'location' } })
param location string

@allowed(['22', '24'])
@description('Major version of Node.js that runs the app. What a region offers: `az functionapp list-flexconsumption-runtimes --runtime node`.')
param nodeVersion string = '24'

@allowed([2048, 4096])
@description('Memory of one instance in MB. CPU and network grow with it.')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('The most instances that a backup may spread over. The share that is read is the limit long before this.')
param maximumInstanceCount int = 40

@minLength(1)
@description('Containers that backups may be written to. The run ledger has one of its own beside them.')
param backupContainers string[] = ['backups']

@minValue(1)
@maxValue(365)
@description('Days for which a deleted or overwritten backup, or a deleted container, can be brought back.')
param backupRecoveryDays int = 30

@minValue(0)
@description('Days after which earlier versions of a blob are deleted; 0 keeps them for ever.')
param backupVersionDays int = 0

@description('Storage account that holds the share to back up. Empty: a new account with an empty share is made.')
param sourceAccountName string = ''

@description('Resource group of sourceAccountName. Empty: the one that this deployment makes.')
param sourceResourceGroup string = ''

@minLength(3)
@maxLength(63)
@description('Azure Files share to back up; the app sees it as /mounts/site.')
param sourceShareName string = 'site'

@allowed(['files', 'packs'])
@description('How a new destination keeps contents: a blob a file, or packs. One that has backups keeps its own layout.')
param backupLayout string = 'files'

@description('When a backup starts by itself: NCRONTAB with six fields, in UTC, e.g. `0 0 2 * * *` for every night at two. Empty: never.')
param backupSchedule string = ''

@description('What that backup is told.')
param backupScheduleInput backupInput = { root: '/mounts/site' }

@description('When a prune starts by itself, in the same form. Empty: never.')
param pruneSchedule string = ''

@description('What that prune is told: at least what to keep.')
param pruneScheduleInput pruneInput = {}

@description('Let the app delete earlier versions of backups for good, which pruning needs to free their space. Off: nothing that was backed up can be erased by the app before the recovery days are over, and versions go by backupVersionDays alone.')
param pruneMayDeleteVersions bool = false

@description('Object id of the person or group who may read the backups. Empty: nobody but the app.')
param operatorPrincipalId string = ''

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var appName = 'func-site-backup-${token}'
var identityName = 'id-site-backup-${token}'
var insightsName = 'appi-site-backup-${token}'
var runtimeAccountName = 'strun${token}'
var backupAccountName = 'stbak${token}'
var shareAccountName = empty(sourceAccountName) ? 'stsrc${token}' : sourceAccountName
var packageContainer = 'app-package'
var ledgerContainer = 'backup-runs'
var allBackupContainers = union(backupContainers, [ledgerContainer])
var mountPath = '/mounts/site'
var backupTimer = empty(backupSchedule)
  ? {}
  : { BACKUP_SCHEDULE: backupSchedule, BACKUP_SCHEDULE_INPUT: string(backupScheduleInput) }
var pruneTimer = empty(pruneSchedule)
  ? {}
  : { PRUNE_SCHEDULE: pruneSchedule, PRUNE_SCHEDULE_INPUT: string(pruneScheduleInput) }

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

// User-assigned, so that its rights exist before the app's first start asks for them.
module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: identityName, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-site-backup-${token}'
    insightsName: insightsName
    location: location
    tags: tags
  }
}

module runtimeStorage 'modules/storage-account.bicep' = {
  scope: group
  params: {
    name: runtimeAccountName
    containers: [packageContainer]
    recoveryDays: 7
    versionDays: 7
    location: location
    tags: tags
  }
}

module backupStorage 'modules/storage-account.bicep' = {
  scope: group
  params: {
    name: backupAccountName
    containers: allBackupContainers
    recoveryDays: backupRecoveryDays
    versionDays: backupVersionDays
    location: location
    tags: tags
  }
}

module sourceShare 'modules/source-share.bicep' = if (empty(sourceAccountName)) {
  scope: group
  params: { name: shareAccountName, shareName: sourceShareName, location: location, tags: tags }
}

module access 'modules/access.bicep' = {
  scope: group
  params: {
    identityName: identityName
    operatorPrincipalId: operatorPrincipalId
    runtimeAccountName: runtimeAccountName
    backupAccountName: backupAccountName
    backupContainers: allBackupContainers
    mayDeleteVersions: pruneMayDeleteVersions
    insightsName: insightsName
  }
  dependsOn: [identity, monitoring, runtimeStorage, backupStorage]
}

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: appName
    planName: 'plan-site-backup-${token}'
    location: location
    tags: tags
    identityName: identityName
    insightsName: insightsName
    runtimeAccountName: runtimeAccountName
    packageContainer: packageContainer
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    settings: union(
      {
        BackupStorage__blobServiceUri: backupStorage.outputs.blobEndpoint
        BackupStorage__credential: 'managedidentity'
        BackupStorage__clientId: identity.outputs.clientId
        BACKUP_ROOTS: '/mounts'
        BACKUP_LAYOUT: backupLayout
      },
      backupTimer,
      pruneTimer
    )
  }
  dependsOn: [access]
}

module sourceMount 'modules/source-mount.bicep' = {
  scope: group
  params: {
    appName: appName
    accountName: shareAccountName
    accountResourceGroup: empty(sourceResourceGroup) ? group.name : sourceResourceGroup
    shareName: sourceShareName
    mountPath: mountPath
  }
  dependsOn: [app, sourceShare]
}

@description('Resource group that holds everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output AZURE_FUNCTION_APP_NAME string = appName

@description('Address of the function app; POST /orchestrators/backupSiteContent there.')
output AZURE_FUNCTION_APP_URL string = app.outputs.url

@description('Storage account of the Functions runtime and of Durable Functions.')
output RUNTIME_STORAGE_ACCOUNT string = runtimeAccountName

@description('Storage account that the backups go to.')
output BACKUP_STORAGE_ACCOUNT string = backupAccountName

@description('Storage account whose share is backed up.')
output SOURCE_STORAGE_ACCOUNT string = shareAccountName

@description('What to back up: the root to name in a request.')
output BACKUP_SOURCE_ROOT string = mountPath
