-- warn: the position of an object is not on the earth: the object gets no geography
-- hint: Correct wgs84_x (-180 to 180) and wgs84_y (-90 to 90) of the object.
select uid, identifier, wgs84_x, wgs84_y
from col.object
where wgs84_x is not null
  and wgs84_y is not null
  and (wgs84_x not between -180 and 180 or wgs84_y not between -90 and 90)
order by uid;
