package desk

import "encoding/json"

// AccountOf tells from the values of a stored session which account is signed in; "" when nobody is. The store
// indexes sessions by it, so that all sessions of an account can be ended.
func AccountOf(values map[string]any) string {
	raw, _ := values[sessionKey].(string)
	var s session
	if json.Unmarshal([]byte(raw), &s) != nil {
		return ""
	}
	return s.Name
}
