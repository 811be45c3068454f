// What a schedule runs: the bodies of POST /orchestrators/backupSiteContent and pruneBackups.

@export()
@description('What a backup is told.')
type backupInput = {
  @description('The directory; absolute.')
  root: string

  @description('Where the blobs go; one of backupContainers. Default: backups.')
  container: string?

  @description('A folder in the container.')
  prefix: string?

  @description('How a new destination keeps contents. Default: backupLayout.')
  layout: ('files' | 'packs')?

  @description('Only what matches one of these patterns.')
  include: string[]?

  @description('Nothing that matches one of these.')
  exclude: string[]?

  @description('Default for a schedule: incremental.')
  mode: ('full' | 'incremental')?

  @description('With incremental: compare contents.')
  checksum: bool?

  @description('With incremental: what to compare with. Default: destination.')
  compareWith: ('destination' | 'record')?

  @description('Keep what is overwritten. Default: true. Not for packs.')
  keepVersions: bool?
}

@export()
@description('What a prune is told: at least one keep.')
type pruneInput = {
  @description('The container. Default: backups.')
  container: string?

  @description('A folder in the container.')
  prefix: string?

  @description('The newest runs to keep, so many.')
  keepLast: int?

  @description('Hours to keep the newest run of.')
  keepHourly: int?

  @description('Days to keep the newest run of.')
  keepDaily: int?

  @description('Weeks to keep the newest run of.')
  keepWeekly: int?

  @description('Months to keep the newest run of.')
  keepMonthly: int?

  @description('Years to keep the newest run of.')
  keepYearly: int?

  @description('Keep all runs that are at most so much older than the newest, e.g. 30d.')
  keepWithin: string?
}
