"""How the roles of the follow-up are called."""

ROLES: dict[str, tuple[str, str]] = {
    "ent_filler": ("企业填报员", "enterprise filler"),
    "ent_approver": ("企业审核人", "enterprise approver"),
    "ent_engineer": ("企业接入工程师", "enterprise engineer"),
    "county_officer": ("县级经办", "county officer"),
    "county_leader": ("县级审核", "county leader"),
    "city_officer": ("市级经办", "city officer"),
    "city_leader": ("市级审签", "city leader"),
    "expert": ("评审专家", "expert"),
    "verifier": ("第三方核验机构", "verifier"),
    "sysadmin": ("系统管理员", "system administrator"),
    "secadmin": ("安全管理员", "security administrator"),
    "auditor": ("审计员", "auditor"),
    "system": ("系统任务", "system"),
}
