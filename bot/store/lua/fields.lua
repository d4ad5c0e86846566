-- fields_of reads the fields of a case by nx, n, n × (field, value): as a table, as a list for HSET, and the names of
-- those that are "" and therefore to go. An empty field is not stored: two bytes each, and there are nine of them.
local function fields_of(nx)
  local fields, set, gone = {}, {}, {}
  for _ = 1, tonumber(nx()) do
    local k, v = nx(), nx()
    fields[k] = v
    if v == '' then
      gone[#gone + 1] = k
    else
      set[#set + 1] = k
      set[#set + 1] = v
    end
  end
  return fields, set, gone
end
