-- What the user may: this role and no other.
grant {on_cluster} {role} to {user} with replace option;
alter user {user} {on_cluster} default role {role}
