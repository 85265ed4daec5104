-- stop: an account has a text that is too long for version 2.3
-- hint: Shorten login, nom and prenom to 32 characters, password to 255, or delete the account.
select id, login, nom, prenom, length(password) as password_length
from gacl.logingestion
where length(login) > 32
   or length(nom) > 32
   or length(prenom) > 32
   or length(password) > 255
order by id;
